#pragma once
// ElectionCommands: a lock with a value. Campaigning is acquiring the lock of the election; here is
// what a leader does, under its token, and what everybody may read.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/commands/lock_commands.hpp"

namespace fencegate::storage {

class ElectionCommands {
public:
    ElectionCommands(Tables& tables, const lockmgr::LockClasses& classes, LockCommands& locks)
        : tables_(tables), classes_(classes), locks_(locks) {}

    [[nodiscard]] Answer proclaim(Batch& batch, const Command& command, const Proclaim& proclaim);
    [[nodiscard]] Answer resign(Batch& batch, const Command& command, const Resign& resign);
    [[nodiscard]] Answer read(const Batch& batch, const ReadElection& read);

private:
    [[nodiscard]] std::optional<Answer> resigned_before(const Command& command,
                                                        const Resign& resign,
                                                        const lockmgr::LockName& lock);
    [[nodiscard]] Answer describe(const Batch& batch, std::string_view election);

    Tables& tables_;
    const lockmgr::LockClasses& classes_;
    LockCommands& locks_;
};

}  // namespace fencegate::storage
