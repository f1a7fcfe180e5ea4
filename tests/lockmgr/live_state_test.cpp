// LiveState, and through it Holdings, DeadlineQueue, WaitingLines and Usage: order, bounds, and the
// undo that a rolled back transaction relies on.
#include "lockmgr/live_state.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace fencegate::lockmgr {
namespace {

const LockClasses kClasses({LockClass{
    .name = "quota", .locks_per_principal_max = 2, .waiters_per_principal_max = 2}});

BootTime at(std::int64_t ms) { return BootTime(std::chrono::milliseconds(ms)); }
LockName name(const char* text) { return *LockName::parse(text); }

std::vector<LockName> names(std::initializer_list<const char*> texts) {
    std::vector<LockName> all;
    for (const auto* text : texts) all.push_back(name(text));
    return all;
}

Waiter waiter(std::uint64_t id, std::initializer_list<const char*> locks,
              std::int64_t deadline_ms = 1'000) {
    return {.id = WaiterId(id),
            .asker = id,
            .locks = names(locks),
            .principal = "worker",
            .since = at(0),
            .deadline = at(deadline_ms)};
}

Lease lease(std::int64_t token, std::initializer_list<const char*> locks,
            LockMode mode = LockMode::Exclusive, std::int64_t permits = 1) {
    return {.token = FencingToken(token),
            .locks = names(locks),
            .claim = {mode, permits},
            .principal = "worker"};
}

std::optional<std::uint64_t> take_first(LiveState& state, const char* lock) {
    const auto* first = state.waiters().first(name(lock));
    if (first == nullptr) return std::nullopt;
    return state.remove(first->id)->id.value();
}

TEST(WaitingLines, ServesInOrderOfArrivalWhateverTheDeadlines) {
    LiveState state({}, kClasses);
    state.join(waiter(1, {"a"}, 900));
    state.join(waiter(2, {"b"}, 100));
    state.join(waiter(3, {"a"}, 100));

    EXPECT_EQ(take_first(state, "a"), 1U);
    EXPECT_EQ(take_first(state, "a"), 3U);
    EXPECT_EQ(take_first(state, "a"), std::nullopt);
    EXPECT_EQ(take_first(state, "b"), 2U);
}

TEST(WaitingLines, IsBoundedPerLockAndInAll) {
    LiveState state({.per_lock_max = 2, .total_max = 3}, kClasses);
    state.join(waiter(1, {"a"}));
    state.join(waiter(2, {"a"}));

    EXPECT_FALSE(state.waiters().has_room(names({"a"}), 0));
    EXPECT_FALSE(state.waiters().has_room(names({"a", "b"}), 0));
    EXPECT_TRUE(state.waiters().has_room(names({"b"}), 0));
    state.join(waiter(3, {"b"}));
    EXPECT_FALSE(state.waiters().has_room(names({"c"}), 0));
}

TEST(WaitingLines, IsBoundedByTheClassWhereThatIsNarrower) {
    LiveState state({.per_lock_max = 2, .total_max = 9}, kClasses);
    state.join(waiter(1, {"a"}));

    EXPECT_FALSE(state.waiters().has_room(names({"a"}), 1));
    EXPECT_TRUE(state.waiters().has_room(names({"a"}), 2));
}

TEST(WaitingLines, WhoWaitsForSeveralLocksIsFirstOnlyWhenItIsFirstForAll) {
    LiveState state({}, kClasses);
    state.join(waiter(1, {"b"}));
    state.join(waiter(2, {"a", "b"}));
    state.join(waiter(3, {"a"}));

    EXPECT_FALSE(state.waiters().is_first(*state.waiters().find(WaiterId(2))));
    EXPECT_EQ(take_first(state, "b"), 1U);
    EXPECT_TRUE(state.waiters().is_first(*state.waiters().find(WaiterId(2))));
    EXPECT_FALSE(state.waiters().is_first(*state.waiters().find(WaiterId(3))));
}

TEST(WaitingLines, NamesWhoseWaitIsOverFirst) {
    LiveState state({}, kClasses);
    state.join(waiter(1, {"a"}, 900));
    state.join(waiter(2, {"a"}, 100));

    EXPECT_EQ(state.waiters().next_deadline(), at(100));
    EXPECT_EQ(state.waiters().due(at(99)), std::nullopt);
    EXPECT_EQ(state.waiters().due(at(100)), WaiterId(2));
}

Waiter away(Waiter waiter, std::int64_t until_ms) {
    waiter.away_until = at(until_ms);
    return waiter;
}

TEST(WaitingLines, WhoIsAwayIsInNobodysWayAndKeepsItsPlace) {
    LiveState state({}, kClasses);
    state.join(away(waiter(1, {"a"}), 500));
    state.join(waiter(2, {"a"}));
    const auto& waiters = state.waiters();

    EXPECT_EQ(waiters.first(name("a"))->id, WaiterId(2));
    EXPECT_TRUE(waiters.is_first(names({"a"}), WaiterId(2)));
    EXPECT_EQ(waiters.waiting_for(name("a")), 1U);
    EXPECT_EQ(waiters.places(name("a")).rank_of(WaiterId(2)), 1U);
    EXPECT_EQ(waiters.size(), 1U);
    EXPECT_EQ(waiters.away(), 1U);
    EXPECT_EQ(waiters.next_deadline(), at(1'000)) << "nothing has to be done when a place is lost";

    auto back = *state.remove(WaiterId(1));
    back.away_until.reset();
    state.join(std::move(back));
    EXPECT_EQ(take_first(state, "a"), 1U);
    EXPECT_EQ(take_first(state, "a"), 2U);
}

TEST(WaitingLines, ForgetsWhoHasBeenAwayForLongestFirst) {
    LiveState state({}, kClasses);
    state.join(away(waiter(1, {"a"}), 500));
    state.join(away(waiter(2, {"a"}), 300));
    state.join(waiter(3, {"a"}, 100));

    EXPECT_EQ(state.waiters().given_up(at(299)), std::nullopt);
    EXPECT_EQ(state.waiters().given_up(at(500)), WaiterId(2));
    static_cast<void>(state.remove(WaiterId(2)));
    EXPECT_EQ(state.waiters().given_up(at(500)), WaiterId(1));
}

TEST(WaitingLines, WhoIsAwayTakesUpRoom) {
    LiveState state({.per_lock_max = 2, .total_max = 3}, kClasses);
    state.join(away(waiter(1, {"a"}), 500));
    state.join(waiter(2, {"a"}));

    EXPECT_FALSE(state.waiters().has_room(names({"a"}), 0));
    state.join(away(waiter(3, {"b"}), 500));
    EXPECT_FALSE(state.waiters().has_room(names({"c"}), 0));
}

TEST(DeadlineQueue, ARenewedLeaseIsDueOnlyAtItsLastDeadline) {
    LiveState state({}, kClasses);
    state.arm(FencingToken(5), at(100));
    state.arm(FencingToken(5), at(300));
    state.arm(FencingToken(6), at(200));

    EXPECT_EQ(state.expiries().due(at(199)), std::nullopt);
    EXPECT_EQ(state.expiries().due(at(300)), FencingToken(6));
    state.end(lease(6, {}));
    EXPECT_EQ(state.expiries().due(at(300)), FencingToken(5));
    EXPECT_EQ(state.expiries().size(), 1U);
}

TEST(Holdings, LetReadersInTogetherAndAWriterOnlyAlone) {
    LiveState state({}, kClasses);
    const Claim reads{LockMode::Shared, 1};
    state.grant(lease(1, {"a"}, LockMode::Shared), at(100));

    EXPECT_EQ(state.fit(names({"a"}), reads), Fit::Fits);
    EXPECT_EQ(state.fit(names({"a"}), Claim{}), Fit::Busy);
    state.end(lease(1, {"a"}, LockMode::Shared));
    state.grant(lease(2, {"a"}), at(100));
    EXPECT_EQ(state.fit(names({"a"}), reads), Fit::Busy);
}

TEST(Holdings, LetAsManyIntoASemaphoreAsItHasPermits) {
    LiveState state({}, kClasses);
    const Claim two{LockMode::Semaphore, 2};
    state.grant(lease(1, {"a"}, LockMode::Semaphore, 2), at(100));

    EXPECT_EQ(state.fit(names({"a"}), two), Fit::Fits);
    state.grant(lease(2, {"a"}, LockMode::Semaphore, 2), at(100));
    EXPECT_EQ(state.fit(names({"a"}), two), Fit::Busy);
}

TEST(Holdings, TellAnotherKindFromABusyLock) {
    LiveState state({}, kClasses);
    state.grant(lease(1, {"a"}, LockMode::Semaphore, 2), at(100));
    state.grant(lease(2, {"b"}), at(100));

    EXPECT_EQ(state.fit(names({"a"}), Claim{}), Fit::OtherKind);
    EXPECT_EQ(state.fit(names({"a"}), {LockMode::Semaphore, 3}), Fit::OtherKind);
    EXPECT_EQ(state.fit(names({"b"}), {LockMode::Semaphore, 2}), Fit::OtherKind);
    EXPECT_EQ(state.fit(names({"b", "c"}), Claim{}), Fit::Busy);
}

TEST(LiveState, ALockThatRestsFitsNobodyUntilItsRestIsOver) {
    LiveState state({}, kClasses);
    state.rest(name("a"), at(100));

    EXPECT_EQ(state.fit(names({"a"}), Claim{}), Fit::Busy);
    EXPECT_EQ(state.resting().due(at(100)), name("a"));
    state.rest(name("a"), std::nullopt);
    EXPECT_EQ(state.fit(names({"a"}), Claim{}), Fit::Fits);
}

TEST(Usage, CountsEveryLockOfALeaseInClassesWithAQuota) {
    LiveState state({}, kClasses);
    state.grant(lease(1, {"quota/a", "x"}), at(100));

    EXPECT_TRUE(state.usage().may_hold("worker", names({"quota/b"})));
    EXPECT_FALSE(state.usage().may_hold("worker", names({"quota/b", "quota/c"})));
    EXPECT_TRUE(state.usage().may_hold("other", names({"quota/b", "quota/c"})));
    state.grant(lease(2, {"quota/b"}), at(100));
    EXPECT_FALSE(state.usage().may_hold("worker", names({"quota/c"})));
    EXPECT_TRUE(state.usage().may_hold("worker", names({"x", "y", "z"})));
    state.end(lease(1, {"quota/a", "x"}));
    EXPECT_TRUE(state.usage().may_hold("worker", names({"quota/c"})));
}

TEST(Usage, CountsWaiters) {
    LiveState state({}, kClasses);
    state.join(waiter(1, {"quota/a"}));
    EXPECT_TRUE(state.usage().may_wait("worker", names({"quota/a"})));

    state.join(waiter(2, {"quota/a"}));

    EXPECT_FALSE(state.usage().may_wait("worker", names({"quota/a"})));
    EXPECT_EQ(take_first(state, "quota/a"), 1U);
    EXPECT_TRUE(state.usage().may_wait("worker", names({"quota/a"})));
}

TEST(LiveState, RollbackPutsARemovedWaiterBackWhereItStood) {
    LiveState state({}, kClasses);
    state.join(waiter(1, {"a"}));
    state.join(waiter(2, {"a"}));
    state.commit();

    EXPECT_EQ(take_first(state, "a"), 1U);
    state.join(waiter(3, {"a"}));
    state.rollback();

    EXPECT_EQ(state.waiters().size(), 2U);
    EXPECT_EQ(take_first(state, "a"), 1U);
    EXPECT_EQ(take_first(state, "a"), 2U);
}

constexpr const char* kLocks[] = {"quota/a", "quota/b", "c"};

// Everything that can be observed, as text.
std::string picture(const LiveState& state) {
    std::string text;
    for (std::int64_t token = 1; token <= 6; ++token) {
        const auto deadline = state.expiries().deadline_of(FencingToken(token));
        const auto renewals = state.renewals_of(FencingToken(token));
        text += std::to_string(deadline ? deadline->time_since_epoch().count() : -1) + "/" +
                std::to_string(renewals ? renewals->stalled : -1) + " ";
    }
    for (const char* lock : kLocks) {
        text += std::string("\n") + lock;
        for (const auto id : state.waiters().line(name(lock)))
            text += " " + std::to_string(id.value());
        text += " of";
        for (const auto id : state.waiters().places(name(lock))) {
            const auto& one = *state.waiters().find(id);
            const auto* known = state.waiters().find_key(one.key->asker);
            text += " " + std::to_string(id.value()) + (known == &one ? "" : "?");
            if (one.is_away())
                text += " until " + std::to_string(one.away_until->time_since_epoch().count());
        }
        if (const auto* holding = state.holdings().find(name(lock))) {
            for (const auto token : holding->tokens)
                text += " held by " + std::to_string(token.value());
        }
        const auto until = state.resting().deadline_of(name(lock));
        text += until ? " rests until " + std::to_string(until->time_since_epoch().count()) : "";
    }
    text += state.usage().may_hold("worker", names({"quota/a"})) ? " may hold" : "";
    text += state.usage().may_hold("worker", names({"quota/a", "quota/b"})) ? " two" : "";
    text += state.usage().may_wait("worker", names({"quota/a"})) ? " may wait" : "";
    return text;
}

class RandomChanges {
public:
    RandomChanges(LiveState& state, unsigned seed) : state_(state), random_(seed) {}

    void make(int count) {
        while (count-- > 0) make_one();
    }

private:
    void make_one() {
        const char* lock = kLocks[random_() % 3];
        const FencingToken token(1 + random_() % 6);
        switch (random_() % 9) {
            case 0: grant(); break;
            case 1: end(); break;
            case 2: state_.join(keyed(waiter(++next_id_, {lock, "d"}, random_() % 1'000))); break;
            case 6: leave(at(random_() % 99)); break;
            case 7: leave(std::nullopt); break;
            case 3: static_cast<void>(take_first(state_, lock)); break;
            case 4:
                static_cast<void>(state_.remove(WaiterId(1 + random_() % (next_id_ + 1))));
                break;
            case 5:
                state_.set_renewals(token, Renewals{.stalled = std::int64_t(random_() % 9)});
                break;
            default:
                state_.rest(name(lock),
                            random_() % 2 ? std::optional(at(random_() % 99)) : std::nullopt);
        }
    }

    static Waiter keyed(Waiter waiter) {
        waiter.key.emplace().asker[0] = static_cast<std::uint8_t>(waiter.id.value());
        return waiter;
    }

    // nullopt: comes back, if it was away.
    void leave(std::optional<BootTime> until) {
        auto one = state_.remove(WaiterId(1 + random_() % (next_id_ + 1)));
        if (!one) return;
        one->away_until = until;
        state_.join(*std::move(one));
    }

    void grant() {
        const char* lock = kLocks[random_() % 3];
        const auto mode = random_() % 2 ? LockMode::Shared : LockMode::Exclusive;
        if (live_.size() == 6 || state_.holdings().fit(name(lock), {mode, 1}) != Fit::Fits) return;
        std::int64_t token = 1;
        while (std::ranges::any_of(live_, [&](auto& one) { return one.token.value() == token; }))
            ++token;
        live_.push_back(lease(token, {lock}, mode));
        state_.grant(live_.back(), at(random_() % 1'000));
    }

    void end() {
        if (live_.empty()) return;
        const auto which = live_.begin() + static_cast<std::ptrdiff_t>(random_() % live_.size());
        state_.end(*which);
        live_.erase(which);
    }

    LiveState& state_;
    std::mt19937 random_;
    std::uint64_t next_id_ = 0;
    std::vector<Lease> live_;
};

TEST(LiveState, AfterRollbackEqualsTheLastCommitForAnySequence) {
    for (unsigned seed = 0; seed < 500; ++seed) {
        LiveState state({.per_lock_max = 4, .total_max = 6}, kClasses);
        RandomChanges changes(state, seed);
        changes.make(30);
        state.commit();
        const auto before = picture(state);

        changes.make(30);
        state.rollback();

        ASSERT_EQ(picture(state), before) << "seed " << seed;
    }
}

}  // namespace
}  // namespace fencegate::lockmgr
