// Places in line of waiters with a key that leave: kept for a while, never in anybody's way, and
// taken up by nobody else.
#include "tests/storage/commands/places_fixture.hpp"

namespace fencegate::testing {
namespace {

using lockmgr::LockMode;

class Places : public PlacesSuite {};

TEST_F(Places, WhoAsksInRoundsIsServedBeforeWhoCameLaterAndWaitsOnce) {
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000});
    wait("a", {.wait_ms = 1'000, .key = "k"});
    wait("a", {.owner = "later"});
    ASSERT_EQ(store.tick(Duration(1'000)).size(), 1U);

    store.tick(Duration(50));
    const auto again = wait("a", {.wait_ms = 1'000, .key = "k"});

    EXPECT_EQ(release(holder), again);
}

TEST_F(Places, WhoseConnectionIsCutIsServedBeforeWhoCameLater) {
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000});
    const auto first = wait("a", {.key = "k"});
    wait("a", {.owner = "later"});
    EXPECT_EQ(code_of(cut(first)), ErrorCode::RequestTimeout);

    const auto again = wait("a", {.key = "k"});

    EXPECT_EQ(release(holder), again);
}

// A client may be back before the store has heard that it was gone.
TEST_F(Places, WhoIsBackInTheBatchInWhichItWasCutWaitsOn) {
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000});
    const auto first = wait("a", {.key = "k"});
    wait("a", {.owner = "later"});
    const storage::Ticket again(1'000'000);
    const std::vector<storage::Request> requests{
        {again,
         nullptr,
         {"worker", "again", StoreHarness::acquire_of("a", {.wait_ms = 60'000, .key = "k"})}}};
    const std::vector cut{storage::Ticket(first)};

    const auto routed = store.store->run(requests, cut);

    ASSERT_EQ(routed.size(), 1U);
    EXPECT_EQ(routed.front().delivery.ticket.value(), first);
    EXPECT_EQ(release(holder), again.value());
}

// A load balancer cuts every wait after a minute, and others never stop coming.
TEST_F(Places, AreKeptThroughAnyNumberOfCuts) {
    auto holder = *store.acquire("a", {.ttl_ms = 3'600'000});
    auto long_waiting = wait("a", {.ttl_ms = 3'600'000, .wait_ms = 600'000, .key = "long"});
    std::vector<std::uint64_t> others;
    for (int minute = 0; minute < 20; ++minute) {
        others.push_back(wait("a", {.ttl_ms = 3'600'000, .wait_ms = 3'600'000}));
        store.tick(Duration(60'000));
        cut(long_waiting);
        store.tick(Duration(300));
        long_waiting = wait("a", {.ttl_ms = 3'600'000, .wait_ms = 600'000, .key = "long"});
    }

    ASSERT_EQ(release(holder), long_waiting);
    for (const auto other : others) EXPECT_EQ(release(granted), other);
}

TEST_F(Places, OfWhoIsAwayHoldNobodyUp) {
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000});
    const auto first = wait("a", {.key = "k"});
    const auto second = wait("a", {.owner = "b", .ttl_ms = 60'000});
    const auto third = wait("a", {.owner = "c"});
    cut(first);

    EXPECT_EQ(release(holder), second);

    const auto again = wait("a", {.ttl_ms = 60'000, .key = "k"});
    EXPECT_EQ(release(granted), again) << "it was first among those who waited";
    EXPECT_EQ(release(granted), third);
}

TEST_F(Places, OfWhoIsAwayLeaveAFreeLockToWhoeverAsks) {
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000});
    cut(wait("a", {.key = "k"}));
    EXPECT_EQ(release(holder), 0U);

    EXPECT_FALSE(store.acquire("a", {.owner = "b"})->error);
}

TEST_F(Places, OfWhoIsAwayAreNeverGranted) {
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000});
    cut(wait("a", {.key = "k"}));

    EXPECT_EQ(release(holder), 0U);
    EXPECT_TRUE(store.tick(kKept * 2).empty());

    EXPECT_EQ(store.number("SELECT count(*) FROM leases"), 1);
}

TEST_F(Places, AreKeptForSoLongAndNoLonger) {
    const auto holder = *store.acquire("brief/a", {.ttl_ms = 60'000});
    const auto first = wait("brief/a", {.key = "one"});
    const auto second = wait("brief/a", {.key = "two"});
    const auto third = wait("brief/a", {.ttl_ms = 60'000});
    cut(first);
    cut(second);

    store.tick(Duration(199));
    const auto first_again = wait("brief/a", {.ttl_ms = 60'000, .key = "one"});
    store.tick(Duration(1));
    const auto second_again = wait("brief/a", {.ttl_ms = 60'000, .key = "two"});

    EXPECT_EQ(release(holder), first_again);
    EXPECT_EQ(release(granted), third);
    EXPECT_EQ(release(granted), second_again);
}

// Who could not be heard was not away: a commit that hangs costs nobody its place.
TEST_F(Places, AreNotLostByTheStoresOwnDelay) {
    const auto holder = *store.acquire("brief/a", {.ttl_ms = 60'000});
    const auto first = wait("brief/a", {.key = "k"});
    wait("brief/a", {});
    cut(first);

    store.clock.leap(Duration(30'000));  // nothing was looked at
    const auto again = wait("brief/a", {.key = "k"});

    EXPECT_EQ(release(holder), again);
}

// Who arrived in time is in time, however long it queued.
TEST_F(Places, AreTakenUpByWhoArrivedInTime) {
    const auto holder = *store.acquire("brief/a", {.ttl_ms = 60'000});
    const auto first = wait("brief/a", {.key = "k"});
    wait("brief/a", {});
    cut(first);
    const storage::Ticket again(1'000'000);
    storage::Request request{
        again,
        nullptr,
        {"worker", "again", StoreHarness::acquire_of("brief/a", {.wait_ms = 60'000, .key = "k"})}};
    request.arrived = store.clock.boot_now() + Duration(199);
    for (int tenth = 0; tenth < 3; ++tenth) store.clock.advance(Duration(100));

    ASSERT_TRUE(store.store->run({&request, 1}, {}).empty());

    EXPECT_EQ(release(holder), again.value());
}

TEST_F(Places, AreNotKeptWhereTheClassSaysSo) {
    const auto holder = *store.acquire("never/a", {.ttl_ms = 60'000});
    const auto first = wait("never/a", {.wait_ms = 100, .key = "k"});
    const auto second = wait("never/a", {});
    const auto refused = store.tick(Duration(100)).at(first);
    EXPECT_EQ(member_of(refused, "place_kept_ms"), std::nullopt);
    EXPECT_EQ(member_of(refused, "waiters_ahead"), "1");

    wait("never/a", {.key = "k"});

    EXPECT_EQ(release(holder), second);
}

TEST_F(Places, AreKeptForAsLongAsTheMostImpatientOfTheLocks) {
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000});
    cut(wait("a", {.key = "k", .also = {"brief/a"}}));

    store.tick(Duration(200));

    EXPECT_EQ(members("a", "waiters_away"), 0);
}

TEST_F(Places, AreNotKeptWithoutAKey) {
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000});
    cut(wait("a", {}));

    EXPECT_EQ(members("a", "waiters_away"), 0);
}

TEST_F(Places, AreTakenUpByTheSameRequestOnly) {
    store.acquire("a", {.ttl_ms = 60'000});
    cut(wait("a", {.key = "k"}));
    auto other = std::get<storage::AcquireLock>(
        StoreHarness::acquire_of("a", {.wait_ms = 60'000, .key = "k"}));
    other.idempotency->fingerprint[0] ^= 1;

    EXPECT_EQ(code_of(*store.run(other)), ErrorCode::IdempotencyMismatch);
    EXPECT_EQ(members("a", "waiters_away"), 1);

    store.tick(kKept);
    EXPECT_FALSE(store.run(other).has_value()) << "the key is free again";
}

TEST_F(Places, AreTakenUpByTheSamePrincipalOnly) {
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000});
    cut(wait("a", {.key = "k"}));
    const auto second = wait("a", {.ttl_ms = 60'000});
    auto others = std::get<storage::AcquireLock>(
        StoreHarness::acquire_of("a", {.wait_ms = 60'000, .key = "k"}));
    others.idempotency->digest = storage::key_digest("other", "k");

    ASSERT_FALSE(store.run(others, "other").has_value());

    EXPECT_EQ(release(holder), second);
}

TEST_F(Places, AreTakenUpByATryAsWell) {
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000});
    cut(wait("a", {.key = "k"}));
    const auto second = wait("a", {.ttl_ms = 60'000});
    store.tick(Duration(4'000));

    const auto tried = *store.acquire("a", {.key = "k"});
    EXPECT_EQ(code_of(tried), ErrorCode::LockHeld);
    EXPECT_EQ(member_of(tried, "position"), "1");
    EXPECT_EQ(member_of(tried, "place_kept_ms"), "5000") << "it is kept from now on";

    store.tick(Duration(4'000));
    EXPECT_EQ(release(holder), second);
    release(granted);
    EXPECT_FALSE(store.acquire("a", {.key = "k"})->error);
}

TEST_F(Places, OfATryAreBeforeThoseWhoCameLater) {
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000, .claim = {LockMode::Shared, 1}});
    cut(wait("a", {.key = "k"}));
    wait("a", {.owner = "later"});
    auto reads = AcquireOptions{.claim = {LockMode::Shared, 1}};

    // A later reader is held up by the writer who waits; nothing is by one who is away.
    EXPECT_EQ(code_of(*store.acquire("a", reads)), ErrorCode::LockHeld);
    store.tick(Duration(60'000));
    EXPECT_FALSE(store.acquire("a", reads)->error);
}

TEST_F(Places, AreNotMadeByATry) {
    store.acquire("a", {.ttl_ms = 60'000});

    const auto tried = *store.acquire("a", {.key = "k"});

    EXPECT_EQ(member_of(tried, "place_kept_ms"), std::nullopt);
    EXPECT_EQ(members("a", "waiters_away"), 0);
}

}  // namespace
}  // namespace fencegate::testing
