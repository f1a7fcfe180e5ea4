// A backup is put back: nothing that was granted after it may come to life again.
#include "storage/restore.hpp"

#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace fencegate::testing {
namespace {

// A store that was closed, its backup, and what follows a loss: the backup put back.
class Restore : public ::testing::Test {
protected:
    void back_up() {
        harness.store.reset();
        std::filesystem::copy_file(file(), backup_ / "store.db",
                                   std::filesystem::copy_options::overwrite_existing);
        harness.reopen();
    }
    void put_back(std::int64_t above) {
        harness.store.reset();
        std::filesystem::remove(harness.folder() / "store.db-wal");
        std::filesystem::copy_file(backup_ / "store.db", file(),
                                   std::filesystem::copy_options::overwrite_existing);
        const auto restored = storage::restore_store(
            {.data_dir = harness.folder(), .epoch_above = above}, harness.clock.wall_now());
        ASSERT_TRUE(restored) << restored.error().detail;
        epoch = restored->epoch;
        harness.reopen();
    }
    [[nodiscard]] std::filesystem::path file() const { return harness.folder() / "store.db"; }

    StoreHarness harness{{{.name = "payments", .accepts_late_writes = true}}};
    std::int64_t epoch = 0;

private:
    TempDir backup_;
};

TEST_F(Restore, IssuesNoTokenASecondTime) {
    harness.store->close();
    back_up();
    const auto lost = harness.acquire("payments/pay_1");

    put_back(0);
    const auto next = harness.acquire("payments/pay_1");

    EXPECT_GT(next->fencing_token, lost->fencing_token);
}

TEST_F(Restore, OfTheSameBackupTwiceDoesNotReuseTheEpochInBetween) {
    harness.store->close();
    back_up();
    put_back(0);
    const auto between = harness.acquire("payments/pay_1");

    put_back(epoch);
    const auto next = harness.acquire("payments/pay_1");

    EXPECT_GT(next->fencing_token, between->fencing_token);
}

TEST_F(Restore, EndsEveryLeaseOfTheBackup) {
    harness.create("pay_1", 500);
    const auto held = harness.acquire("payments/pay_1", {.ttl_ms = 60'000});
    harness.store->close();
    back_up();

    put_back(0);

    EXPECT_EQ(code_of(harness.refund("pay_1", held->fencing_token)), ErrorCode::FenceBroken);
    EXPECT_TRUE(harness.acquire("payments/pay_1")->fencing_token > held->fencing_token);
}

TEST_F(Restore, KeepsTheLeasesItEndsFromNowOn) {
    static_cast<void>(harness.acquire("payments/pay_1", {.ttl_ms = 3'600'000}));
    for (int hour = 0; hour < 3; ++hour) harness.tick(std::chrono::hours(1));
    static_cast<void>(harness.acquire("payments/pay_1", {.ttl_ms = 3'600'000}));
    harness.store->close();
    back_up();

    put_back(0);

    EXPECT_EQ(harness.number("SELECT ended_hour FROM leases WHERE state = 4"), 3);
}

TEST_F(Restore, EndsLateWritesToo) {
    harness.create("pay_1", 500);
    const auto expired = harness.acquire("payments/pay_1", {.ttl_ms = 100});
    harness.tick(Duration(200));
    harness.store->close();
    back_up();

    put_back(0);

    EXPECT_EQ(code_of(harness.refund("pay_1", expired->fencing_token)), ErrorCode::FenceStale);
}

TEST_F(Restore, FailsAfterTheLastEpoch) {
    harness.store.reset();

    EXPECT_FALSE(storage::restore_store(
        {.data_dir = harness.folder(), .epoch_above = lockmgr::kTokenEpochMax},
        harness.clock.wall_now()));
}

}  // namespace
}  // namespace fencegate::testing
