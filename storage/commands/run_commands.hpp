#pragma once
// RunCommands: how a run ends and what is known of runs. Claiming one is acquiring its lock
// (purpose.hpp); it ends under the token of that claim, and done is final.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/commands/lock_commands.hpp"
#include "storage/documents/run_documents.hpp"

namespace fencegate::storage {

class RunCommands {
public:
    RunCommands(Tables& tables, const lockmgr::LockClasses& classes, LockCommands& locks)
        : tables_(tables), classes_(classes), locks_(locks) {}

    // Records the outcome and releases the claim, in one transaction. Said twice under the same
    // token it is answered the same twice.
    [[nodiscard]] Answer finish(Batch& batch, const Command& command, const FinishRun& finish);
    [[nodiscard]] Answer read(const Batch& batch, const ReadRun& read);
    [[nodiscard]] Answer read(const Batch& batch, const ListRuns& list);

private:
    [[nodiscard]] bool is_of_its_claim(const Run& run, std::string_view principal,
                                       const lockmgr::PresentedToken& token);
    [[nodiscard]] RunView view_run(const Batch& batch, Run run);

    Tables& tables_;
    const lockmgr::LockClasses& classes_;
    LockCommands& locks_;
};

}  // namespace fencegate::storage
