#pragma once
// DiskGround: SQLite, in a folder on a disk that can lose its power, fail and be full. One at a
// time: while it lives its disk is SQLite's.
// Thread rule: one thread. Errors: throws Violation.

#include "storage/sqlite/connection.hpp"
#include "tests/simulation/ground.hpp"
#include "tests/simulation/sqlite_rows.hpp"
#include "tests/support/forgetful_disk.hpp"
#include "tests/support/temp_dir.hpp"

#include <optional>
#include <vector>

namespace fencegate::simulation {

class DiskGround final : public Ground {
public:
    DiskGround(const Options& options, testing::SeededRandom& random, Trace& trace,
               MidCommit mid_commit);

    [[nodiscard]] std::unique_ptr<storage::Store> open(const Clock& clock) override;
    void serve() override;
    [[nodiscard]] RowReader& rows() override { return *rows_; }
    void leave() override { rows_.reset(); }
    void check_what_is_left() override;

    void be_sound() override { disk_.be_sound(); }
    [[nodiscard]] std::size_t strikes() const override { return disk_.strikes(); }
    [[nodiscard]] bool is_planned() const override { return disk_.is_planned(); }
    void fail_soon() override;
    void fill() override;

    [[nodiscard]] bool has_lost_power() const override { return disk_.is_dead(); }
    void lose_power() override;
    void lose_power_soon(std::uint64_t operations) override;
    [[nodiscard]] bool checkpoint(bool empties_log) override;
    void back_up() override;
    void restore(std::int64_t epoch_above, WallTime now) override;

private:
    struct Files {
        std::vector<char> database;
        std::vector<char> log;
    };

    testing::SeededRandom& random_;
    Trace& trace_;
    testing::ForgetfulDisk disk_;
    testing::TempDir folder_;
    storage::sqlite::Connection* connection_ = nullptr;  // the store's
    std::unique_ptr<SqliteRows> rows_;
    std::optional<Files> backup_;
};

}  // namespace fencegate::simulation
