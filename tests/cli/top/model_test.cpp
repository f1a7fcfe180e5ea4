#include "cli/top/model.hpp"

#include "tests/cli/top/news.hpp"

#include <gtest/gtest.h>

namespace fencegate::cli::top {
namespace {

std::vector<std::int64_t> tokens(const Model& model, std::string_view lock) {
    std::vector<std::int64_t> found;
    const auto entry = model.locks().find(lock);
    if (entry == model.locks().end()) return found;
    for (const auto& holder : entry->second.holders) found.push_back(holder.token);
    return found;
}

using Tokens = std::vector<std::int64_t>;

TEST(TopModel, AGrantHoldsUntilItsEnd) {
    for (const auto ending : {LeaseEnding::Released, LeaseEnding::Expired, LeaseEnding::Broken}) {
        Model model;
        tell(model, event(Kind::Granted, {.token = 7}));
        EXPECT_EQ(tokens(model, "a"), Tokens{7});
        EXPECT_EQ(model.locks().at("a").holders[0].ends_at, kStart + 30s);

        tell(model, event(ending, {.token = 7, .at = 12s}));

        EXPECT_TRUE(model.locks().empty());
    }
}

TEST(TopModel, ARenewalMovesTheEndAndNotTheBeginning) {
    Model model;
    tell(model, event(Kind::Granted));
    tell(model, event(Kind::Renewed, {.at = 20s, .ttl = 60s}));

    EXPECT_EQ(model.locks().at("a").holders[0].granted_at, kStart);
    EXPECT_EQ(model.locks().at("a").holders[0].ends_at, kStart + 80s);
}

TEST(TopModel, ALeaseOverSeveralLocksHoldsAllOfThem) {
    Model model;
    auto granted = event(Kind::Granted, {.token = 3});
    granted.locks = {"a", "b"};
    tell(model, granted);
    EXPECT_EQ(tokens(model, "b"), Tokens{3});

    auto released = event(LeaseEnding::Released, {.token = 3});
    released.locks = {"a", "b"};
    tell(model, released);

    EXPECT_TRUE(model.locks().empty());
}

TEST(TopModel, AnEventThatIsOlderThanAReadingIsPutRightByThoseBehindIt) {
    Model model;
    tell(model, reading("a", {holder(5)}));
    for (const auto token : {4, 5}) {
        tell(model, event(Kind::Granted, {.token = token}));
        if (token == 4) tell(model, event(LeaseEnding::Released, {.token = token}));
    }

    EXPECT_EQ(tokens(model, "a"), Tokens{5});
}

TEST(TopModel, APageEndsWhatIsNoLongerHeldWithinItsBounds) {
    Model model;
    for (const char* lock : {"a", "b", "c", "d", "e"})
        tell(model, event(Kind::Granted, {.lock = lock}));

    tell(model, LockPage{.locks = {reading("c", {holder(1)})}, .after = "a", .until = "d"});

    EXPECT_EQ(tokens(model, "a"), Tokens{1});  // of the page before
    EXPECT_EQ(tokens(model, "b"), Tokens{});
    EXPECT_EQ(tokens(model, "c"), Tokens{1});
    EXPECT_EQ(tokens(model, "d"), Tokens{});
    EXPECT_EQ(tokens(model, "e"), Tokens{1});  // of the page behind
    EXPECT_FALSE(model.is_complete());

    tell(model, LockPage{.after = "d"});

    EXPECT_EQ(tokens(model, "e"), Tokens{});
    EXPECT_TRUE(model.is_complete());
}

// The waiter may have been served and gone between two readings.
TEST(TopModel, ALineEndsWithItsHolderUnlessTheLockRests) {
    Model model;
    tell(model, reading("served", {holder(1)}, 2));
    tell(model, event(LeaseEnding::Expired, {.lock = "served", .token = 1}));
    tell(model, reading("resting", {}, 2));
    EXPECT_EQ(model.locks().size(), 2U);

    tell(model, LockPage{});  // neither is on the list of held locks

    ASSERT_EQ(model.locks().size(), 1U);
    EXPECT_EQ(model.locks().at("resting").waiters, 2U);

    tell(model, reading("resting", {}));

    EXPECT_TRUE(model.locks().empty());
}

TEST(TopModel, AListThatShowsOneHolderOfThreeForgetsNoneThatIsKnown) {
    Model model;
    tell(model, event(Kind::Granted, {.token = 2}));
    auto shared = reading("a", {holder(1)});
    shared.holder_count = 3;
    tell(model, shared);
    EXPECT_EQ(tokens(model, "a"), (Tokens{1, 2}));
    EXPECT_EQ(model.locks().at("a").holders_unseen, 1U);

    tell(model, event(LeaseEnding::Released, {.token = 9}));  // the one that was only counted

    EXPECT_EQ(tokens(model, "a"), (Tokens{1, 2}));
    EXPECT_EQ(model.locks().at("a").holders_unseen, 0U);
}

TEST(TopModel, HoldersThatCannotBeAreForgotten) {
    Model model;
    for (const auto token : {1, 2, 3}) tell(model, event(Kind::Granted, {.token = token}));
    auto shared = reading("a", {holder(4)});
    shared.holder_count = 2;
    tell(model, shared);

    EXPECT_EQ(tokens(model, "a"), Tokens{4});
    EXPECT_EQ(model.locks().at("a").holders_unseen, 1U);
}

TEST(TopModel, KnowsWhatExpiredAndHowLongItWasHeld) {
    Model model;
    tell(model, event(Kind::Granted, {.token = 1}));
    tell(model, event(LeaseEnding::Expired, {.token = 1, .at = 30s}));
    auto broken = event(LeaseEnding::Broken, {.token = 2, .at = 40s});
    broken.reason = "hangs";
    tell(model, broken);
    tell(model, event(LeaseEnding::Released, {.token = 3}));

    ASSERT_EQ(model.ended().size(), 2U);
    EXPECT_EQ(model.ended()[0].what.reason, "hangs");
    EXPECT_EQ(model.ended()[0].held, std::nullopt);  // when it was granted is not known
    EXPECT_EQ(model.ended()[1].held, 30s);
}

TEST(TopModel, NamesTheOwnerOfARefusedTokenIfItIsKnown) {
    Model model;
    tell(model, event(Kind::Granted, {.token = 1, .owner = "worker-a"}));
    tell(model, event(LeaseEnding::Expired, {.token = 1, .owner = "worker-a"}));
    tell(model, event(Kind::Refused, {.token = 1, .owner = ""}));
    tell(model, event(Kind::Refused, {.token = 99, .owner = ""}));

    ASSERT_EQ(model.refused().size(), 2U);
    EXPECT_EQ(model.refused()[0].owner, "");
    EXPECT_EQ(model.refused()[1].owner, "worker-a");
}

TEST(TopModel, AResetForgetsLocksAndKeepsWhatWasSeen) {
    Model model;
    tell(model, LockPage{.locks = {reading("a", {holder(1)})}});
    tell(model, event(LeaseEnding::Expired, {.lock = "b"}));

    tell(model, Missed{"restarted"});

    EXPECT_TRUE(model.locks().empty());
    EXPECT_FALSE(model.is_complete());
    EXPECT_EQ(model.ended().size(), 1U);
}

TEST(TopModel, RatesAreThoseOfTenSeconds) {
    Model model;
    tell(model, CoveredSince{kStart - 1h});
    for (int second = 0; second < 20; ++second) {
        tell(model, event(Kind::Renewed, {.at = std::chrono::seconds(second)}));
        tell(model, event(Kind::Renewed, {.at = std::chrono::seconds(second)}));
    }

    EXPECT_DOUBLE_EQ(model.per_second(Kind::Renewed, kStart + 19s), 2.0);
    EXPECT_DOUBLE_EQ(model.per_second(Kind::Renewed, kStart + 24s), 1.0);
    EXPECT_DOUBLE_EQ(model.per_second(Kind::Renewed, kStart + 60s), 0.0);
    EXPECT_DOUBLE_EQ(model.per_second(Kind::Granted, kStart + 19s), 0.0);
}

TEST(TopModel, RatesOfTheFirstSecondsAreNotDilutedByTimeNobodySaw) {
    Model model;
    tell(model, CoveredSince{kStart});
    for (int tenth = 0; tenth < 20; ++tenth)
        tell(model, event(Kind::Granted, {.at = 100ms * tenth}));

    EXPECT_DOUBLE_EQ(model.per_second(Kind::Granted, kStart + 2s), 10.0);
}

TEST(TopModel, HoldsNoMoreLocksAndEntriesThanItMay) {
    Model model;
    for (std::size_t at = 0; at < kLocksMax + 5; ++at)
        tell(model, event(Kind::Granted, {.lock = "lock/" + std::to_string(at)}));
    for (std::size_t at = 0; at < kRecentMax + 5; ++at) {
        tell(model, event(Kind::Refused));
        tell(model, event(LeaseEnding::Expired));
    }

    EXPECT_EQ(model.locks().size(), kLocksMax);
    EXPECT_TRUE(model.has_more_locks());
    EXPECT_EQ(model.refused().size(), kRecentMax);
    EXPECT_EQ(model.ended().size(), kRecentMax);
}

TEST(TopModel, ReadsTimeLeftByTheGatewaysClock) {
    Model model;
    tell(model, Skew{1h});
    tell(model, reading("a", {holder(1, 10s)}), 5s);

    EXPECT_EQ(model.locks().at("a").holders[0].ends_at, kStart + 1h + 15s);
}

TEST(TopModel, RemembersSinceWhenTheConnectionIsLost) {
    Model model;
    tell(model, Link{LinkState::Live}, 1s);
    tell(model, Link{LinkState::Lost, "gone"}, 2s);
    tell(model, Link{LinkState::Lost, "still gone"}, 3s);

    EXPECT_EQ(model.link().words, "still gone");
    EXPECT_EQ(model.link_since(), kStart + 2s);
}

}  // namespace
}  // namespace fencegate::cli::top
