// One write or sync after another fails: the store never acknowledges what it cannot keep. An I/O
// error ends it; a full disk only refuses.
#include "tests/crash/acknowledged_work.hpp"
#include "tests/support/forgetful_disk.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace fencegate::testing {
namespace {

constexpr std::uint64_t kSeed = 7;
constexpr std::size_t kBatches = 12;

void expect_none(const std::vector<std::string>& contradictions, std::size_t operation) {
    for (const auto& line : contradictions)
        ADD_FAILURE() << "fault at operation " << operation << ": " << line;
}

// The n-th write, truncation or sync fails with `code`, `times` in a row; n counts up until the
// work is over before the fault strikes. Returns how many faults did strike.
template <class Check>
std::size_t for_every_fault(int code, std::size_t times, const Check& check) {
    for (std::size_t operation = 1;; ++operation) {
        ForgetfulDisk disk;
        StoreHarness store;
        AcknowledgedWork work(kSeed);
        disk.fail_at(operation, code, times);
        work.run(store, kBatches);
        if (!disk.has_struck()) return operation - 1;
        check(operation, disk, store, work);
        if (::testing::Test::HasFailure()) return operation;
    }
}

TEST(DiskFault, AnIoErrorEndsTheStoreAndNothingIsPromisedAfterIt) {
    const auto faults = for_every_fault(
        0, 1,
        [](std::size_t operation, ForgetfulDisk& disk, StoreHarness& store,
           AcknowledgedWork& work) {
            disk.be_sound();
            work.run_one_batch(store);  // a checkpoint's failure is found by the next batch
            EXPECT_TRUE(store.store->fatal()) << "operation " << operation;
            EXPECT_EQ(store.observer.errors.back(), storage::StoreError::Fatal);
            EXPECT_EQ(code_of(store.create("pay_after", 500)), ErrorCode::StoreFailed);
            EXPECT_EQ(code_of(store.payment("pay_1")), ErrorCode::StoreFailed);
            EXPECT_EQ(work.answers_after_fatal(), 0U) << "operation " << operation;
            store.reopen();
            expect_none(work.contradictions(store), operation);
        });

    EXPECT_GT(faults, 50U);
}

TEST(DiskFault, AnIoErrorFollowedByAPowerCutLosesNothingAcknowledged) {
    const auto faults =
        for_every_fault(0, 1,
                        [](std::size_t operation, ForgetfulDisk& disk, StoreHarness& store,
                           AcknowledgedWork& work) {
                            SeededRandom random(operation);
                            store.store.reset();
                            disk.power_cut(static_cast<Remains>(operation % kRemainsCount), random);
                            store.reopen();
                            expect_none(work.contradictions(store), operation);
                        });

    EXPECT_GT(faults, 50U);
}

// A commit may have reached the disk's cache although its sync failed, or kill -9 came before the
// sync. The restarted store reads it and tells it: from then on a power cut must not take it.
TEST(DiskFault, WhatARestartedStoreTellsSurvivesAPowerCut) {
    std::size_t told = 0;
    const auto faults = for_every_fault(0, 1,
                                        [&](std::size_t operation, ForgetfulDisk& disk,
                                            StoreHarness& store, AcknowledgedWork& work) {
                                            const auto before = work.acknowledged();
                                            disk.be_sound();
                                            store.reopen();
                                            work.ask_for_outcomes(store);
                                            told += work.acknowledged() - before;
                                            SeededRandom random(operation);
                                            store.store.reset();
                                            disk.power_cut(Remains::Nothing, random);
                                            store.reopen();
                                            expect_none(work.contradictions(store), operation);
                                        });

    EXPECT_GT(faults, 50U);
    EXPECT_GT(told, 5U) << "no commit was written and not synced";
}

TEST(DiskFault, AFullDiskRefusesAndTheStoreGoesOn) {
    std::size_t refused = 0;
    const auto faults = for_every_fault(
        SQLITE_FULL, 40,
        [&](std::size_t operation, ForgetfulDisk& disk, StoreHarness& store,
            AcknowledgedWork& work) {
            refused += work.refused_as_full();
            disk.be_sound();
            store.connection->clear_failure();  // of a checkpoint made by the work itself
            EXPECT_FALSE(store.store->fatal()) << "operation " << operation;
            EXPECT_FALSE(store.create("pay_after", 500).error) << "operation " << operation;
            store.tick(std::chrono::minutes(1));
            EXPECT_EQ(store.number("SELECT count(*) FROM leases WHERE state = 0"), 0)
                << "operation " << operation << ": a lease that never ends";
            expect_none(work.contradictions(store), operation);
            store.reopen();
            expect_none(work.contradictions(store), operation);
        });

    EXPECT_GT(faults, 50U);
    EXPECT_GT(refused, faults) << "the disk was hardly ever full";
}

}  // namespace
}  // namespace fencegate::testing
