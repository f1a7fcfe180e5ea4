// LiveState, and through it ExpiryQueue and WaitQueue: order, bounds, and the undo that a rolled
// back transaction relies on.
#include "lockmgr/live_state.hpp"

#include <gtest/gtest.h>

#include <random>

namespace fencegate::lockmgr {
namespace {

BootTime at(std::int64_t ms) { return BootTime(std::chrono::milliseconds(ms)); }

Waiter waiter(std::uint64_t id, const char* lock, std::int64_t deadline_ms = 1'000) {
    return {WaiterId(id), id, *LockName::parse(lock), at(0), at(deadline_ms)};
}

std::optional<std::uint64_t> next_for(LiveState& state, const char* lock) {
    const auto next = state.dequeue(*LockName::parse(lock));
    if (!next) return std::nullopt;
    return next->id.value();
}

TEST(WaitQueue, ServesInOrderOfArrivalWhateverTheDeadlines) {
    LiveState state({});
    ASSERT_TRUE(state.enqueue(waiter(1, "a", 900)));
    ASSERT_TRUE(state.enqueue(waiter(2, "b", 100)));
    ASSERT_TRUE(state.enqueue(waiter(3, "a", 100)));

    EXPECT_EQ(next_for(state, "a"), 1U);
    EXPECT_EQ(next_for(state, "a"), 3U);
    EXPECT_EQ(next_for(state, "a"), std::nullopt);
    EXPECT_EQ(next_for(state, "b"), 2U);
}

TEST(WaitQueue, IsBoundedPerLockAndInAll) {
    LiveState state({.per_lock_max = 2, .total_max = 3});
    ASSERT_TRUE(state.enqueue(waiter(1, "a")));
    ASSERT_TRUE(state.enqueue(waiter(2, "a")));

    EXPECT_FALSE(state.enqueue(waiter(3, "a")));
    ASSERT_TRUE(state.enqueue(waiter(4, "b")));
    EXPECT_FALSE(state.enqueue(waiter(5, "c")));
    EXPECT_EQ(state.waiters().size(), 3U);
}

TEST(WaitQueue, NamesWhoseWaitIsOverFirst) {
    LiveState state({});
    ASSERT_TRUE(state.enqueue(waiter(1, "a", 900)));
    ASSERT_TRUE(state.enqueue(waiter(2, "a", 100)));

    EXPECT_EQ(state.waiters().next_deadline(), at(100));
    EXPECT_EQ(state.waiters().due(at(99)), std::nullopt);
    EXPECT_EQ(state.waiters().due(at(100)), WaiterId(2));
}

TEST(ExpiryQueue, ARenewedLeaseIsDueOnlyAtItsLastDeadline) {
    LiveState state({});
    state.arm(FencingToken(5), at(100));
    state.arm(FencingToken(5), at(300));
    state.arm(FencingToken(6), at(200));

    EXPECT_EQ(state.expiries().due(at(199)), std::nullopt);
    EXPECT_EQ(state.expiries().due(at(300)), FencingToken(6));
    state.disarm(FencingToken(6));
    EXPECT_EQ(state.expiries().due(at(300)), FencingToken(5));
    EXPECT_EQ(state.expiries().size(), 1U);
}

TEST(LiveState, RollbackPutsAPoppedWaiterBackWhereItStood) {
    LiveState state({});
    ASSERT_TRUE(state.enqueue(waiter(1, "a")));
    ASSERT_TRUE(state.enqueue(waiter(2, "a")));
    state.commit();

    EXPECT_EQ(next_for(state, "a"), 1U);
    ASSERT_TRUE(state.enqueue(waiter(3, "a")));
    state.rollback();

    EXPECT_EQ(state.waiters().size(), 2U);
    EXPECT_EQ(next_for(state, "a"), 1U);
    EXPECT_EQ(next_for(state, "a"), 2U);
}

TEST(LiveState, RollbackToAMarkKeepsWhatCameBefore) {
    LiveState state({});
    state.arm(FencingToken(1), at(100));
    const auto mark = state.mark();
    state.arm(FencingToken(1), at(900));
    state.arm(FencingToken(2), at(50));

    state.rollback_to(mark);

    EXPECT_EQ(state.expiries().deadline_of(FencingToken(1)), at(100));
    EXPECT_EQ(state.expiries().deadline_of(FencingToken(2)), std::nullopt);
}

// Everything that can be observed, as text.
std::string picture(const LiveState& state) {
    std::string text;
    for (std::int64_t token = 1; token <= 6; ++token) {
        const auto deadline = state.expiries().deadline_of(FencingToken(token));
        text += std::to_string(deadline ? deadline->time_since_epoch().count() : -1) + " ";
    }
    for (const char* lock : {"a", "b"}) {
        text += lock;
        for (const auto id : state.waiters().line(*LockName::parse(lock)))
            text += " " + std::to_string(id.value());
    }
    return text;
}

void change_something(LiveState& state, std::mt19937& random, std::uint64_t& next_id) {
    const char* lock = random() % 2 == 0 ? "a" : "b";
    const FencingToken token(1 + random() % 6);
    switch (random() % 5) {
        case 0: state.arm(token, at(random() % 1'000)); break;
        case 1: state.disarm(token); break;
        case 2: static_cast<void>(state.enqueue(waiter(++next_id, lock, random() % 1'000))); break;
        case 3: static_cast<void>(state.dequeue(*LockName::parse(lock))); break;
        default: static_cast<void>(state.remove(WaiterId(1 + random() % (next_id + 1)))); break;
    }
}

TEST(LiveState, AfterRollbackEqualsTheLastCommitForAnySequence) {
    for (unsigned seed = 0; seed < 500; ++seed) {
        std::mt19937 random(seed);
        LiveState state({.per_lock_max = 4, .total_max = 6});
        std::uint64_t next_id = 0;
        for (int step = 0; step < 20; ++step) change_something(state, random, next_id);
        state.commit();
        const auto before = picture(state);

        for (int step = 0; step < 20; ++step) change_something(state, random, next_id);
        state.rollback();

        ASSERT_EQ(picture(state), before) << "seed " << seed;
    }
}

}  // namespace
}  // namespace fencegate::lockmgr
