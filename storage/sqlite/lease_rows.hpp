#pragma once
// LeaseRows: the token counter, the lease rows and the heads of their locks. Thread rule: as its
// Connection. Errors: the Connection's failure(); a method then returns nothing or does nothing.

#include "storage/sqlite/connection.hpp"
#include "storage/unit/changes.hpp"
#include "storage/unit/readers.hpp"
#include "storage/unit/store_clock.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage::sqlite {

class LeaseRows final : public storage::LeaseReader {
public:
    LeaseRows(Connection& connection, const StoreClock& clock);

    [[nodiscard]] std::optional<lockmgr::TokenCounter> counter() override;

    [[nodiscard]] std::optional<lockmgr::Lease> find(Token token) override;
    [[nodiscard]] std::string break_reason(Token token) override;

    [[nodiscard]] ChainHead head(const lockmgr::LockName& lock) override;
    [[nodiscard]] std::optional<Token> before(Token token, const lockmgr::LockName& lock) override;

    [[nodiscard]] std::vector<lockmgr::Lease> all_live() override;
    [[nodiscard]] std::vector<lockmgr::Lease> oldest_live(int limit) override;
    [[nodiscard]] std::vector<lockmgr::LockName> names(std::string_view prefix,
                                                       std::string_view after, int limit) override;

    void write(const Changes& changes);

private:
    void insert(const NewLease& granted);
    void change(const LeaseChange& change);
    [[nodiscard]] std::optional<lockmgr::Lease> read(Statement::Row& row);
    void read_further_locks(lockmgr::Lease& lease);

    const StoreClock& clock_;
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
    Statement note_refused_;
    Statement break_reason_;
    Statement all_live_;
    Statement oldest_live_;
    Statement before_;
    Statement names_;
};

}  // namespace fencegate::storage::sqlite
