// Places in line of waiters that are away: several lines at once, what is told and counted of them,
// and how they end.
#include "tests/storage/commands/places_fixture.hpp"

namespace fencegate::testing {
namespace {

using lockmgr::Claim;
using lockmgr::LockMode;

class PlacesTold : public PlacesSuite {};

TEST_F(PlacesTold, AreTheSameInEveryLineOfWhoWaitsForSeveralLocks) {
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000});
    const auto first = wait("a", {.key = "k", .also = {"b"}});
    EXPECT_EQ(code_of(*store.acquire("b")), ErrorCode::LockHeld) << "kept free for who waits";

    cut(first);
    const auto meanwhile = *store.acquire("b", {.ttl_ms = 60'000});
    ASSERT_FALSE(meanwhile.error) << "and not for who is away";
    const auto later = wait("b", {});
    const auto again = wait("a", {.key = "k", .also = {"b"}});

    EXPECT_EQ(release(meanwhile), 0U) << "whoever came later waits behind it";
    EXPECT_EQ(release(holder), again);
    EXPECT_EQ(release(granted), later);
}

TEST_F(PlacesTold, OfASemaphoreAreKeptToo) {
    const Claim two{LockMode::Semaphore, 2};
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000, .claim = two});
    store.acquire("a", {.ttl_ms = 60'000, .claim = two});
    const auto first = wait("a", {.key = "k", .claim = two});
    wait("a", {.claim = two});
    cut(first);

    const auto again = wait("a", {.key = "k", .claim = two});

    EXPECT_EQ(release(holder), again);
}

TEST_F(PlacesTold, AreToldTruly) {
    store.acquire("a", {.ttl_ms = 60'000});
    const auto first = wait("a", {.wait_ms = 1'000, .key = "one"});
    const auto second = wait("a", {.wait_ms = 1'500, .key = "two"});
    wait("a", {.owner = "third"});

    const auto one = store.tick(Duration(1'000)).at(first);
    EXPECT_EQ(member_of(one, "waiters_ahead"), "0");
    EXPECT_EQ(member_of(one, "position"), "1");
    EXPECT_EQ(member_of(one, "place_kept_ms"), "5000");
    EXPECT_LE(one.error->retry_after_ms, 1'000) << "nobody is told to lose its place";
    const auto two = store.tick(Duration(500)).at(second);
    EXPECT_EQ(member_of(two, "position"), "2") << "the first may be back before it";

    EXPECT_EQ(members("a", "waiters"), 1);
    EXPECT_EQ(members("a", "waiters_away"), 2);
    EXPECT_TRUE(has(store.lock("a").body,
                    R"({"position":1,"principal":"worker","owner":"a","mode":"exclusive",)"
                    R"("waited_ms":1500,"away":true,"place_kept_ms":4500})"));
    EXPECT_EQ(member_of(*store.acquire("a"), "position"), "4");
}

TEST_F(PlacesTold, CountAgainstTheLineAndTheQuota) {
    store.acquire("short/a", {.ttl_ms = 60'000});
    cut(wait("short/a", {.key = "one"}));
    cut(wait("short/a", {.key = "two"}));
    EXPECT_EQ(code_of(*store.acquire("short/a", {.wait_ms = 1'000})), ErrorCode::QueueFull);
    wait("short/a", {.key = "two"});

    store.acquire("quota/a", {.ttl_ms = 60'000});
    cut(wait("quota/a", {.key = "three"}));
    cut(wait("quota/a", {.key = "four"}));
    EXPECT_EQ(code_of(*store.acquire("quota/a", {.wait_ms = 1'000})), ErrorCode::QuotaExceeded);
    wait("quota/a", {.key = "four"});

    store.tick(kKept);
    wait("short/a", {});
    wait("quota/a", {});
}

TEST_F(PlacesTold, AreNotHeldByTheRefusalOfWhoComesBack) {
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000});
    cut(wait("a", {.key = "k"}));
    release(holder);
    store.acquire("a", {.ttl_ms = 60'000, .claim = {LockMode::Semaphore, 2}});

    EXPECT_EQ(code_of(*store.acquire("a", {.wait_ms = 9, .key = "k"})),
              ErrorCode::LockModeConflict);

    EXPECT_EQ(members("a", "waiters_away"), 0);
}

// The cut came too late: the lock is its own.
TEST_F(PlacesTold, AreNotNeededByWhoWasGrantedWhenItWasCut) {
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000});
    const auto waiter = wait("a", {.ttl_ms = 60'000, .key = "k"});
    ASSERT_EQ(release(holder), waiter);
    const std::vector tickets{storage::Ticket(waiter)};
    EXPECT_TRUE(store.store->run({}, tickets).empty());

    const auto again = *store.acquire("a", {.ttl_ms = 60'000, .wait_ms = 60'000, .key = "k"});

    EXPECT_TRUE(again.is_replayed);
    EXPECT_EQ(again.fencing_token, granted.fencing_token);
}

TEST_F(PlacesTold, AreLostWithTheProcess) {
    store.acquire("a", {.ttl_ms = 60'000});
    cut(wait("a", {.key = "k"}));

    store.reopen();

    EXPECT_EQ(members("a", "waiters_away"), 0);
    wait("a", {.key = "k"});
    EXPECT_EQ(store.store->drain().size(), 1U);
    EXPECT_EQ(members("a", "waiters_away"), 0) << "whom a drain sends away goes elsewhere";
}

TEST_F(PlacesTold, OfWhoIsAwayAreNoWaitsInADeadlock) {
    store.acquire("a", {.owner = "ann", .ttl_ms = 60'000});
    store.acquire("b", {.owner = "bob", .ttl_ms = 60'000});
    const auto ann = wait("b", {.owner = "ann", .key = "ann"});
    wait("a", {.owner = "bob"});
    EXPECT_TRUE(has(store.run(storage::FindDeadlocks{})->body, R"("count":1)"));

    cut(ann);

    EXPECT_TRUE(has(store.run(storage::FindDeadlocks{})->body, R"("count":0)"));
}

// A dashboard must see a wait of ten minutes although it is made of rounds of a second.
TEST_F(PlacesTold, KeepTheTimeOfTheirWaitersWaitAsWell) {
    const auto holder = *store.acquire("payments/a", {.ttl_ms = 600'000});
    const auto since = store.clock.boot_now();
    for (int round = 0; round < 10; ++round) {
        wait("payments/a", {.wait_ms = 1'000, .key = "k"});
        EXPECT_EQ(store.observer.levels[0].oldest_waiter_since, since);
        store.tick(Duration(1'000));
        EXPECT_EQ(store.observer.levels[0].waiting, 0U);
    }
    wait("payments/a", {.wait_ms = 1'000, .key = "k"});
    store.observer.all.clear();

    release(holder);

    const auto is_grant = [](const storage::StoreEvent& event) {
        return std::holds_alternative<storage::AcquireEvent>(event);
    };
    const auto grant = std::ranges::find_if(store.observer.all, is_grant);
    ASSERT_NE(grant, store.observer.all.end());
    EXPECT_EQ(std::get<storage::AcquireEvent>(*grant).waited, storage::Seconds(10));
}

TEST_F(PlacesTold, AreRolledBackWithTheBatch) {
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000});
    const auto first = wait("a", {.key = "one"});
    const auto second = wait("a", {.key = "two"});
    cut(first);
    store.connection->exec("PRAGMA max_page_count = 1");
    std::vector<storage::Operation> asks{
        StoreHarness::acquire_of("a", {.wait_ms = 60'000, .key = "one"})};
    for (int index = 0; index < 500; ++index)
        asks.push_back(storage::CreatePayment{.id = "pay_" + std::to_string(index),
                                              .currency = "EUR",
                                              .amount_minor = 500,
                                              .capture = true,
                                              .reference = {},
                                              .metadata_json = {},
                                              .token = lockmgr::kNoToken,
                                              .idempotency = idempotency(std::to_string(index))});
    const auto answers = store.run_batch(std::move(asks));
    const auto again = store.last_ticket() - 500;
    ASSERT_FALSE(answers.contains(again)) << "it waits";
    ASSERT_EQ(code_of(answers.at(store.last_ticket())), ErrorCode::StoreFull);

    store.connection->exec("PRAGMA max_page_count = 1000000");
    store.tick(Duration(1'000));

    EXPECT_EQ(members("a", "waiters"), 2);
    EXPECT_EQ(release(holder), again);
    EXPECT_EQ(release(granted), second);
}

}  // namespace
}  // namespace fencegate::testing
