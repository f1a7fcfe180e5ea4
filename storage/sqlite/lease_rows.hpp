#pragma once
// LeaseRows: the token counter and the lease rows, one method a statement.
// Decides nothing; the rules are in lockmgr. Thread rule: as its Connection.
// Errors: the Connection's failure(); a method then returns nothing or does nothing.

#include "lockmgr/lease.hpp"
#include "storage/model/stamp.hpp"
#include "storage/sqlite/connection.hpp"
#include "storage/sqlite/store_clock.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage::sqlite {

class LeaseRows {
public:
    LeaseRows(Connection& connection, const StoreClock& clock);

    // Raises the counter. The sequence rolls over into the epoch; after 2^53 there is no next
    // token and the constraint of the table refuses.
    [[nodiscard]] std::optional<lockmgr::FencingToken> next_token();

    // Writes a grant as the newest lease of each of its locks. One that expired there before is
    // superseded by it.
    void install(const lockmgr::Lease& lease);
    [[nodiscard]] std::optional<lockmgr::Lease> find(lockmgr::FencingToken token);

    void set_ttl(lockmgr::FencingToken token, Duration ttl);
    void end(lockmgr::FencingToken token, lockmgr::LeaseState how, Stamp now);
    void note_break_reason(lockmgr::FencingToken token, std::string_view reason);
    [[nodiscard]] std::vector<lockmgr::Lease> all_live();
    // In the order of their grants.
    [[nodiscard]] std::vector<lockmgr::Lease> oldest_live(int limit);

    // The history of a lock, newest first: from its last lease along the chain.
    [[nodiscard]] std::optional<lockmgr::FencingToken> last_of(const lockmgr::LockName& lock);
    [[nodiscard]] std::optional<lockmgr::FencingToken> before(lockmgr::FencingToken token,
                                                              const lockmgr::LockName& lock);
    [[nodiscard]] std::string break_reason(lockmgr::FencingToken token);

    // Names that were ever granted, in order, from after `after` on, while they begin with
    // `prefix`.
    [[nodiscard]] std::vector<lockmgr::LockName> names(std::string_view prefix,
                                                       std::string_view after, int limit);

private:
    [[nodiscard]] std::optional<lockmgr::Lease> read(Statement::Row& row);
    void read_further_locks(lockmgr::Lease& lease);
    struct Head {
        std::int64_t token = 0;  // 0: the lock was never granted, or long ago
        lockmgr::LeaseState state{};
        lockmgr::LockMode mode{};
    };
    [[nodiscard]] Head head_of(const lockmgr::LockName& lock);
    // Supersedes the newest lease of the lock if it has expired; returns its token. Poisons the
    // transaction, as a constraint does, if the new lease must not stand beside it.
    [[nodiscard]] std::int64_t make_way(const lockmgr::LockName& lock, const lockmgr::Lease& lease);
    void set_head(const lockmgr::LockName& lock, std::int64_t before, lockmgr::FencingToken token);

    const StoreClock& clock_;
    Connection& connection_;
    Statement read_counter_;
    Statement write_counter_;
    Statement insert_;
    Statement insert_further_;
    Statement find_;
    Statement find_further_;
    Statement find_head_;
    Statement insert_head_;
    Statement update_head_;
    Statement supersede_;
    Statement set_ttl_;
    Statement end_;
    Statement note_break_reason_;
    Statement break_reason_;
    Statement all_live_;
    Statement oldest_live_;
    Statement before_;
    Statement names_;
};

}  // namespace fencegate::storage::sqlite
