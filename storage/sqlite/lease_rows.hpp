#pragma once
// LeaseRows: the token counter and the lease rows, one method a statement. Thread rule: as its
// Connection. Errors: the Connection's failure(); a method then returns nothing or does nothing.

#include "storage/sqlite/connection.hpp"
#include "storage/sqlite/store_clock.hpp"
#include "storage/unit/rows.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage::sqlite {

class LeaseRows final : public storage::LeaseRows {
public:
    LeaseRows(Connection& connection, const StoreClock& clock);

    [[nodiscard]] std::optional<lockmgr::TokenCounter> counter() override;
    void set_counter(lockmgr::TokenCounter counter) override;

    [[nodiscard]] std::optional<lockmgr::Lease> find(Token token) override;
    void insert(const lockmgr::Lease& lease, const std::optional<Token>& before) override;
    void insert_further(Token token, const lockmgr::LockName& lock,
                        const std::optional<Token>& before) override;
    void set_ttl(Token token, Duration ttl) override;
    void end(Token token, lockmgr::LeaseState how, Stamp now) override;
    void supersede(Token token) override;
    void note_break_reason(Token token, std::string_view reason) override;
    [[nodiscard]] std::string break_reason(Token token) override;

    [[nodiscard]] ChainHead head(const lockmgr::LockName& lock) override;
    void set_head(const lockmgr::LockName& lock, bool is_first, Token token) override;
    [[nodiscard]] std::optional<Token> before(Token token, const lockmgr::LockName& lock) override;

    [[nodiscard]] std::vector<lockmgr::Lease> all_live() override;
    [[nodiscard]] std::vector<lockmgr::Lease> oldest_live(int limit) override;
    [[nodiscard]] std::vector<lockmgr::LockName> names(std::string_view prefix,
                                                       std::string_view after, int limit) override;

private:
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
    Statement break_reason_;
    Statement all_live_;
    Statement oldest_live_;
    Statement before_;
    Statement names_;
};

}  // namespace fencegate::storage::sqlite
