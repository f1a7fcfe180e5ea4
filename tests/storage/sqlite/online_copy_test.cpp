// A copy that is made slice by slice, while batches change what was copied already.
#include "storage/sqlite/online_copy.hpp"

#include "tests/crash/store_invariants.hpp"
#include "tests/support/forgetful_disk.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace fencegate::testing {
namespace {

using storage::CopyFacts;
using storage::sqlite::OnlineCopy;

// One look at the clock, so one step of a few pages.
constexpr std::chrono::nanoseconds kLittle{0};
constexpr int kPayments = 400;

class Copy : public ::testing::Test {
protected:
    void begin() {
        harness.fill(kPayments);
        auto begun = OnlineCopy::begin(*harness.connection, file);
        ASSERT_TRUE(begun) << begun.error().detail;
        copy = *std::move(begun);
    }
    // True when it is complete.
    Result<bool> step() { return copy->step(harness.clock, kLittle); }
    // To the end, `between` after each slice; how many slices it took.
    template <class Between>
    int finish(const Between& between) {
        for (int slices = 1; slices < 10'000; ++slices) {
            const auto is_complete = step();
            EXPECT_TRUE(is_complete) << is_complete.error().detail;
            if (!is_complete || *is_complete) return slices;
            between();
        }
        ADD_FAILURE() << "it never ends";
        return 0;
    }
    std::int64_t number_in_copy(const char* sql) const {
        const auto opened = storage::sqlite::Connection::open(file);
        storage::sqlite::Statement statement(**opened, sql);
        auto row = statement.query();
        EXPECT_TRUE(row.next()) << sql;
        return row.integer(0);
    }
    void expect_equal(const char* sql) {
        EXPECT_EQ(number_in_copy(sql), harness.number(sql)) << sql;
    }
    void expect_the_copy_is_the_store() {
        EXPECT_TRUE(broken_invariants(file).empty());
        for (const char* sql :
             {"SELECT count(*) FROM payments", "SELECT sum(refunded) FROM payments",
              "SELECT max(id) FROM transfers", "SELECT count(*) FROM answers",
              "SELECT sequence FROM store", "SELECT sum(state) FROM leases"})
            expect_equal(sql);
    }

    TempDir folder;
    StoreHarness harness;
    const std::filesystem::path file = folder / "copy.db";
    std::unique_ptr<OnlineCopy> copy;
};

TEST_F(Copy, HoldsWhatWasWrittenWhileItWasMadeAndDoesNotBeginAnew) {
    begin();
    int batches = 0;

    const auto slices = finish([&] {
        const auto payment = "pay_" + std::to_string(batches * 37 % kPayments);
        const auto grant = harness.acquire("payments/" + payment);
        harness.refund(payment, grant->fencing_token, {.key = std::to_string(batches)});
        harness.create("new_" + std::to_string(batches), 100);
        ++batches;
    });

    const auto facts = copy->facts();
    ASSERT_TRUE(facts);
    EXPECT_GT(slices, 10);
    EXPECT_LT(slices, 2 * copy->progress().pages_total / 16);
    EXPECT_EQ(testing::number_of(facts->last_token), batches);
    EXPECT_EQ(facts->last_transfer, harness.number("SELECT max(id) FROM transfers"));
    EXPECT_EQ(facts->bytes, static_cast<std::int64_t>(std::filesystem::file_size(file)));
    expect_the_copy_is_the_store();
}

TEST_F(Copy, GoesOnOverACheckpoint) {
    begin();
    int checkpoints = 0;

    const auto slices = finish([&] {
        harness.create("new_" + std::to_string(checkpoints), 100);
        harness.connection->checkpoint(++checkpoints % 2 == 0);
    });

    EXPECT_LT(slices, 2 * copy->progress().pages_total / 16);
    expect_the_copy_is_the_store();
}

TEST_F(Copy, HoldsNothingThatWasRolledBack) {
    begin();
    int rollbacks = 0;

    finish([&] {
        if (++rollbacks > 2) return;
        harness.connection->exec("BEGIN; DELETE FROM answers; UPDATE store SET sequence = 77");
        harness.connection->exec("ROLLBACK");
    });

    expect_the_copy_is_the_store();
}

// SQLite begins anew after a rollback, and on a full disk every batch is rolled back.
TEST_F(Copy, DoesNotBeginAnewForEver) {
    begin();
    Result<bool> step = false;
    int slices = 0;

    for (; step && !*step && slices < 1'000; ++slices) {
        step = this->step();
        harness.connection->exec("BEGIN; UPDATE store SET sequence = 77");
        harness.connection->exec("ROLLBACK");
    }

    ASSERT_FALSE(step);
    EXPECT_EQ(step.error().code, ErrorCode::StoreFull);
    EXPECT_LT(slices, 20);
    EXPECT_FALSE(harness.create("after", 100).error);
}

TEST_F(Copy, ThatIsGivenUpLeavesTheStoreAtWork) {
    begin();
    ASSERT_TRUE(step());

    copy.reset();

    harness.create("after", 100);
    harness.reopen();
    EXPECT_EQ(harness.number("SELECT count(*) FROM payments"), kPayments + 1);
}

TEST_F(Copy, OfAFileThatIsThereIsRefused) {
    std::filesystem::copy_file(harness.folder() / "store.db", file);

    const auto begun = OnlineCopy::begin(*harness.connection, file);

    ASSERT_FALSE(begun);
    EXPECT_EQ(begun.error().code, ErrorCode::Internal);
}

struct BadDisk {
    const char* name;
    int code;  // of SQLite; 0: an I/O error
    ErrorCode told;

    friend void PrintTo(const BadDisk& row, std::ostream* out) { *out << row.name; }
};

class CopyToABadDisk : public ::testing::TestWithParam<BadDisk> {};

// Slice after slice: the destination fails at each of its writes, the store at none.
TEST_P(CopyToABadDisk, FailsAndTheStoreGoesOn) {
    std::size_t failures = 0;
    for (std::size_t write = 1;; write += 29) {
        ForgetfulDisk disk;
        StoreHarness store;
        TempDir folder;
        store.fill(150);
        auto copy = OnlineCopy::begin(*store.connection, folder / "copy.db");
        ASSERT_TRUE(copy);
        disk.fail_at(write, GetParam().code, 100'000);  // nothing else is written meanwhile
        Result<bool> step = false;
        while (step && !*step) step = (*copy)->step(store.clock, kLittle);
        const bool struck = disk.has_struck();
        disk.be_sound();
        if (!struck) break;

        ++failures;
        ASSERT_FALSE(step) << "write " << write;
        EXPECT_EQ(step.error().code, GetParam().told) << step.error().detail;
        EXPECT_FALSE(store.connection->failure());
        EXPECT_FALSE(store.create("after", 100).error);
        copy->reset();
        EXPECT_FALSE(store.store->fatal());
        store.reopen();
        EXPECT_EQ(store.number("SELECT count(*) FROM payments"), 151);
    }
    EXPECT_GT(failures, 2U);
}

INSTANTIATE_TEST_SUITE_P(Copy, CopyToABadDisk,
                         ::testing::Values(BadDisk{"Full", SQLITE_FULL, ErrorCode::StoreFull},
                                           BadDisk{"Failing", 0, ErrorCode::Internal}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace fencegate::testing
