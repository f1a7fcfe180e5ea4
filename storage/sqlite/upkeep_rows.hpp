#pragma once
// UpkeepRows: the count of hours, and what is old, one method a statement. What is forgotten when
// is decided in storage/batch/sweeper.hpp.
// Thread rule: as its Connection. Errors: the Connection's failure().

#include "storage/sqlite/connection.hpp"
#include "storage/unit/changes.hpp"
#include "storage/unit/readers.hpp"

namespace fencegate::storage::sqlite {

class UpkeepRows final : public storage::UpkeepReader {
public:
    explicit UpkeepRows(Connection& connection);

    [[nodiscard]] std::optional<std::int64_t> hour() override;
    [[nodiscard]] Duration running() override;
    [[nodiscard]] std::int64_t last_token_of(std::int64_t hour) override;

    [[nodiscard]] std::vector<OldAnswer> oldest_answers(std::size_t limit) override;

    [[nodiscard]] std::vector<OldLease> leases_between(std::int64_t after, std::int64_t until,
                                                       std::size_t limit) override;
    [[nodiscard]] std::vector<lockmgr::LockName> headed_by(const OldLease& lease) override;

    void write(const UpkeepChanges& changes);

private:
    void forget(const OldLease& lease);

    Statement read_hour_;
    Statement read_running_;
    Statement write_running_;
    Statement write_hour_;
    Statement remove_hours_;
    Statement last_token_;
    Statement find_answers_;
    Statement remove_answer_;
    Statement find_leases_;
    Statement heads_;
    Statement remove_lease_;
    Statement remove_name_;
    Statement remove_further_names_;
    Statement remove_further_;
    Statement remove_refusals_;
};

}  // namespace fencegate::storage::sqlite
