// How near a lease came to its end: what the store tells whoever sets TTLs.
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <variant>
#include <vector>

namespace fencegate {
namespace {

using storage::LeaseEndEvent;
using testing::StoreHarness;

template <class Event>
std::vector<Event> all_of(const StoreHarness& store) {
    std::vector<Event> found;
    for (const auto& event : store.observer.all) {
        if (const auto* what = std::get_if<Event>(&event)) found.push_back(*what);
    }
    return found;
}

TEST(NearMisses, TheEndOfALeaseTellsWhatWasLeftAtItsLastWrite) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    const auto grant = *store.acquire("payments/pay_1", {.ttl_ms = 1'000});
    store.clock.advance(Duration(100));
    ASSERT_FALSE(store.refund("pay_1", grant.fencing_token, {.key = "a"}).error);
    store.clock.advance(Duration(650));
    ASSERT_FALSE(store.refund("pay_1", grant.fencing_token, {.key = "b"}).error);

    store.clock.advance(Duration(150));
    store.release(grant);

    const auto ends = all_of<LeaseEndEvent>(store);
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_EQ(ends[0].share_left_at_write, 0.25);
    EXPECT_EQ(ends[0].ttl, Duration(1'000));
    EXPECT_EQ(ends[0].remaining, Duration(100));
}

TEST(NearMisses, AnExpiredLeaseTellsItsLastWriteTooAndARefusedWriteIsNone) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    const auto grant = *store.acquire("payments/pay_1", {.ttl_ms = 1'000});
    store.clock.advance(Duration(500));
    ASSERT_FALSE(store.refund("pay_1", grant.fencing_token, {.key = "a"}).error);
    store.clock.advance(Duration(400));
    ASSERT_TRUE(
        store.refund("pay_1", grant.fencing_token, {.key = "b", .principal = "other"}).error);

    store.tick(Duration(200));

    const auto ends = all_of<LeaseEndEvent>(store);
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_EQ(ends[0].ending, lockmgr::LeaseEnding::Expired);
    EXPECT_EQ(ends[0].share_left_at_write, 0.5);
}

// TTLs lie on the bounds of the histogram's buckets: a hair above would count as the next one.
TEST(HoldTime, OfALeaseThatRanOutIsItsTtlHoweverLateThatWasNoticed) {
    StoreHarness store;
    store.acquire("payments/pay_1", {.ttl_ms = 10'000});
    store.tick(Duration(10'003));
    store.acquire("payments/pay_1", {.ttl_ms = 10'000});
    store.clock.step_wall(Duration(1));  // which counts whole milliseconds
    store.tick(Duration(10'000));

    const auto ends = all_of<LeaseEndEvent>(store);
    ASSERT_EQ(ends.size(), 2U);
    EXPECT_EQ(ends[0].held, Duration(10'000));
    EXPECT_EQ(ends[0].expiry_lag, Duration(3));
    EXPECT_EQ(ends[1].held, Duration(10'000));
}

TEST(HoldTime, OfALeaseThatWasRenewedIsAllOfItUpToTheDeadline) {
    StoreHarness store;
    const auto grant = *store.acquire("payments/pay_1", {.ttl_ms = 10'000});
    store.clock.advance(Duration(4'000));
    ASSERT_FALSE(store.renew(grant).error);

    store.tick(Duration(10'500));

    const auto ends = all_of<LeaseEndEvent>(store);
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_EQ(ends[0].held, Duration(14'000));
}

TEST(NearMisses, ALeaseWithoutAWriteTellsNone) {
    StoreHarness store;
    const auto grant = *store.acquire("payments/pay_1");

    store.release(grant);

    const auto ends = all_of<LeaseEndEvent>(store);
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_EQ(ends[0].share_left_at_write, std::nullopt);
}

TEST(NearMisses, AWriteAndTheReleaseInOneBatchAreTold) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    const auto grant = *store.acquire("payments/pay_1", {.ttl_ms = 1'000});
    store.clock.advance(Duration(250));

    store.run_batch({StoreHarness::refund_of("pay_1", grant.fencing_token),
                     storage::ReleaseLease{*parse_uuid(grant.resource_id)}});

    const auto ends = all_of<LeaseEndEvent>(store);
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_EQ(ends[0].share_left_at_write, 0.75);
}

TEST(NearMisses, EveryLockOfALeaseOverSeveralIsToldTheLastWrite) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    const auto grant =
        *store.acquire("payments/pay_1", {.ttl_ms = 1'000, .also = {"payments/pay_2"}});
    store.clock.advance(Duration(500));
    ASSERT_FALSE(store.refund("pay_1", grant.fencing_token).error);

    store.release(grant);

    const auto ends = all_of<LeaseEndEvent>(store);
    ASSERT_EQ(ends.size(), 2U);
    EXPECT_EQ(ends[0].share_left_at_write, 0.5);
    EXPECT_EQ(ends[1].share_left_at_write, 0.5);
}

TEST(NearMisses, ARenewalTellsHowLateItCame) {
    StoreHarness store;
    const auto grant = *store.acquire("payments/pay_1", {.ttl_ms = 1'000});
    store.clock.advance(Duration(900));

    ASSERT_FALSE(store.renew(grant, 4'000).error);

    const auto renewals = all_of<storage::RenewEvent>(store);
    ASSERT_EQ(renewals.size(), 1U);
    EXPECT_DOUBLE_EQ(renewals[0].share_left, 0.1);  // of the TTL it had, not of the new one
}

TEST(NearMisses, NothingIsRememberedOfALeaseThatHasEnded) {
    storage::LastWrites writes;
    std::vector<storage::StoreEvent> events;
    events.emplace_back(storage::FenceEvent{.lock_class = 0,
                                            .verdict = lockmgr::FenceVerdict::Accepted,
                                            .token = lockmgr::FencingToken(7),
                                            .share_left = 0.5});
    writes.complete(events);
    ASSERT_EQ(writes.size(), 1U);

    events.clear();
    events.emplace_back(
        LeaseEndEvent{.lock_class = 0, .ending = {}, .token = lockmgr::FencingToken(7)});
    writes.complete(events);

    EXPECT_EQ(std::get<LeaseEndEvent>(events[0]).share_left_at_write, 0.5);
    EXPECT_EQ(writes.size(), 0U);
}

}  // namespace
}  // namespace fencegate
