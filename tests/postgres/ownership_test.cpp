// One store, one gateway: who opens it deposes the one before, wherever that was stopped, and
// nothing of it commits afterwards.
#include "tests/postgres/postgres_makers.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using storage::Changes;
using storage::Failure;
using storage::Store;

class Ownership : public ::testing::Test {
protected:
    static void put_consumer(Store& store, const std::string& name) {
        Changes changes;
        changes.consumers.push_back({name, "p", 1, {}});
        store.write(changes);
    }
    // Of one transaction that writes.
    static std::optional<Failure> write(Store& store, const std::string& name) {
        store.begin();
        put_consumer(store, name);
        static_cast<void>(store.commit(1));
        const auto failure = store.failure();
        if (failure) store.roll_back();
        return failure;
    }
    static std::optional<Failure> read(Store& store) {
        store.begin();
        static_cast<void>(store.readers().consumers.find("any"));
        static_cast<void>(store.commit(1));
        return store.failure();
    }
    std::unique_ptr<Store> open(const std::string& name) { return open_store(url, name, clock); }
    std::string consumers() {
        return cluster().run(url, "SELECT count(*) FROM fencegate.event_consumers");
    }

    const std::string url = cluster().make_database();
    ManualClock clock;
};

TEST_F(Ownership, TheGatewayBeforeWritesNothingMore) {
    const auto first = open("first");
    ASSERT_FALSE(write(*first, "a"));
    const auto second = open("second");
    ASSERT_FALSE(write(*second, "b"));

    // Its connection was ended; it opens another, and is told there.
    EXPECT_EQ(write(*first, "c")->kind, Failure::Kind::Lost);
    EXPECT_EQ(write(*first, "c")->kind, Failure::Kind::Fatal);
    EXPECT_FALSE(write(*second, "d"));
    EXPECT_EQ(consumers(), "3");
}

TEST_F(Ownership, TheGatewayBeforeTellsNothingThatItReads) {
    const auto first = open("first");
    const auto second = open("second");
    ASSERT_EQ(read(*first)->kind, Failure::Kind::Lost);
    first->roll_back();

    EXPECT_EQ(read(*first)->kind, Failure::Kind::Fatal);
    EXPECT_FALSE(read(*second));
}

TEST_F(Ownership, AGatewayThatStandsInItsTransactionKeepsNobodyWaiting) {
    const auto first = open("first");
    first->begin();
    put_consumer(*first, "a");
    first->settle();
    ASSERT_FALSE(first->failure());

    const auto second = open("second");
    ASSERT_FALSE(write(*second, "b"));

    static_cast<void>(first->commit(1));
    EXPECT_TRUE(first->failure());
    EXPECT_EQ(consumers(), "1");
}

// As a gateway whose connection nobody could end: on the other side of a network that is cut, say.
TEST_F(Ownership, TheFenceHoldsWhereTheConnectionLives) {
    const auto first = open("first");
    ASSERT_FALSE(write(*first, "a"));
    cluster().run(url, "UPDATE fencegate.partitions SET epoch = epoch + 1");

    EXPECT_EQ(write(*first, "b")->kind, Failure::Kind::Fatal);
    EXPECT_EQ(consumers(), "1");
}

TEST_F(Ownership, ATakeOverWaitsForATransactionThatHoldsTheFence) {
    const auto first = open("first");
    first->begin();
    put_consumer(*first, "a");
    first->settle();
    const auto take = "SET lock_timeout = 50; UPDATE fencegate.partitions SET epoch = epoch + 1";

    EXPECT_ANY_THROW(cluster().run(url, take));
    EXPECT_FALSE((static_cast<void>(first->commit(1)), first->failure()));
    EXPECT_NO_THROW(cluster().run(url, take));
}

// An xid is what a transaction that writes has, and whose commit waits for the disk.
TEST_F(Ownership, AReadIsNoWrite) {
    const auto store = open("only");
    ASSERT_FALSE(read(*store));
    const auto next = [&] {
        return cluster().run(url, "SELECT pg_snapshot_xmax(pg_current_snapshot())");
    };
    const auto before = next();

    ASSERT_FALSE(read(*store));
    EXPECT_EQ(next(), before);
    ASSERT_FALSE(write(*store, "a"));
    EXPECT_NE(next(), before);
}

TEST_F(Ownership, AStoreOfANewerProgramIsServedIfThatSaysSo) {
    static_cast<void>(open("first"));
    cluster().run(url, "UPDATE fencegate.cluster SET schema = 99");
    EXPECT_NO_THROW(static_cast<void>(open("second")));
    cluster().run(url, "UPDATE fencegate.cluster SET serves_schema = 99");

    EXPECT_ANY_THROW(static_cast<void>(open("third")));
}

TEST_F(Ownership, AStartThatFailsDeposesNobody) {
    const auto first = open("first");
    const auto refused = storage::postgres::PostgresStore::prepare(
        url, "second", [](const auto&) { return fail(ErrorCode::Internal, "the port is taken"); });

    EXPECT_FALSE(refused);
    EXPECT_FALSE(write(*first, "a"));
}

}  // namespace
}  // namespace fencegate::testing
