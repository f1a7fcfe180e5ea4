#pragma once
// LeaseRows: the token counter and the lease rows, one method a statement.
// Decides nothing; the rules are in lockmgr. Thread rule: as its Connection.
// Errors: the Connection's failure(); a method then returns nothing or does nothing.

#include "lockmgr/lease.hpp"
#include "storage/sqlite/connection.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace fencegate::storage::sqlite {

class LeaseRows {
public:
    explicit LeaseRows(Connection& connection);

    // Raises the counter. The sequence rolls over into the epoch; after 2^53 there is no next
    // token and the constraint of the table refuses.
    [[nodiscard]] std::optional<lockmgr::FencingToken> next_token();

    void insert(const lockmgr::Lease& lease);
    [[nodiscard]] std::optional<lockmgr::Lease> find(lockmgr::FencingToken token);
    [[nodiscard]] std::optional<lockmgr::Lease> find_live(const lockmgr::LockName& lock);
    [[nodiscard]] bool is_held(const lockmgr::LockName& lock);

    void set_ttl(lockmgr::FencingToken token, Duration ttl);
    void end(lockmgr::FencingToken token, lockmgr::LeaseState how, WallTime now);
    void note_break_reason(lockmgr::FencingToken token, std::string_view reason);
    // Called by the grant that supersedes them.
    void supersede_expired(const lockmgr::LockName& lock);

    struct LiveLease {
        lockmgr::FencingToken token;
        lockmgr::LockName lock;
        Duration ttl;
    };
    [[nodiscard]] std::vector<LiveLease> all_live();

private:
    [[nodiscard]] std::optional<lockmgr::Lease> read(Statement::Row row);

    Statement read_counter_;
    Statement write_counter_;
    Statement insert_;
    Statement find_;
    Statement find_live_;
    Statement is_held_;
    Statement set_ttl_;
    Statement end_;
    Statement note_break_reason_;
    Statement find_expired_;
    Statement supersede_;
    Statement all_live_;
};

}  // namespace fencegate::storage::sqlite
