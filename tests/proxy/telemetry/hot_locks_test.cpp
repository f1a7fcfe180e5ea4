#include "proxy/telemetry/hot_locks.hpp"

#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace fencegate::proxy {
namespace {

using fencegate::testing::ManualClock;
using lockmgr::LeaseEnding;
using lockmgr::LockName;
using Ranking = HotLocks::Ranking;
using storage::LockNotice;
using storage::Seconds;

constexpr auto kSlot = std::chrono::duration_cast<Duration>(HotLocks::kSlotLength);

LockName lock(const std::string& name) { return *LockName::parse(name); }

LockNotice notice(LockNotice::Kind kind, std::vector<LockName> locks) {
    return {.kind = kind, .locks = std::move(locks), .token = lockmgr::FencingToken(1)};
}

LockNotice notice(LeaseEnding ending, std::vector<LockName> locks) {
    auto ended = notice(LockNotice::Kind::Ended, std::move(locks));
    ended.ending = ending;
    return ended;
}

std::vector<std::pair<std::string, double>> ranked(const HotLocks& hot, Ranking ranking,
                                                   std::size_t limit = 10) {
    std::vector<std::pair<std::string, double>> found;
    for (const auto& item : hot.rank(ranking, limit)) found.emplace_back(item.name, item.at_least);
    return found;
}

using Expected = std::vector<std::pair<std::string, double>>;

TEST(HotLocks, RankByWhatWasWaitedAndByHowOften) {
    ManualClock clock;
    HotLocks hot(clock);

    hot.note_contentions({{lock("a"), Seconds(2)}, {lock("b"), Seconds(0)}});
    hot.note_contentions(
        {{lock("b"), Seconds(0)}, {lock("b"), Seconds(.5)}, {lock("c"), Seconds(1)}});

    EXPECT_EQ(ranked(hot, Ranking::Waited), (Expected{{"a", 2'000}, {"c", 1'000}, {"b", 500}}));
    EXPECT_EQ(ranked(hot, Ranking::Contended), (Expected{{"b", 3}, {"a", 1}, {"c", 1}}));
    EXPECT_EQ(ranked(hot, Ranking::Contended, 1), (Expected{{"b", 3}}));
}

TEST(HotLocks, CountExpiriesAndRefusalsAndNothingElseThatIsNoticed) {
    ManualClock clock;
    HotLocks hot(clock);

    hot.note_notices({notice(LockNotice::Kind::Granted, {lock("a")}),
                      notice(LeaseEnding::Expired, {lock("a"), lock("b")}),
                      notice(LeaseEnding::Released, {lock("c")})});
    hot.note_notices({notice(LeaseEnding::Expired, {lock("b")}),
                      notice(LockNotice::Kind::Refused, {lock("c")})});

    EXPECT_EQ(ranked(hot, Ranking::Expired), (Expected{{"b", 2}, {"a", 1}}));
    EXPECT_EQ(ranked(hot, Ranking::Refused), (Expected{{"c", 1}}));
    EXPECT_TRUE(ranked(hot, Ranking::Waited).empty());
}

TEST(HotLocks, AddUpTheSlotsOfTheLastHourAndForgetWhatIsOlder) {
    ManualClock clock;
    HotLocks hot(clock);
    hot.note_contentions({{lock("old"), Seconds(9)}, {lock("a"), Seconds(1)}});
    clock.advance(kSlot);
    hot.note_contentions({{lock("a"), Seconds(2)}});

    clock.advance(4 * kSlot);
    EXPECT_EQ(ranked(hot, Ranking::Waited), (Expected{{"old", 9'000}, {"a", 3'000}}));

    clock.advance(kSlot);
    EXPECT_EQ(ranked(hot, Ranking::Waited), (Expected{{"a", 2'000}}));
    clock.advance(kSlot);
    EXPECT_TRUE(ranked(hot, Ranking::Waited).empty());

    hot.note_contentions({{lock("b"), Seconds(1)}});
    EXPECT_EQ(ranked(hot, Ranking::Waited), (Expected{{"b", 1'000}}));
}

TEST(HotLocks, FindTheHottestAmongAHundredThousandNames) {
    ManualClock clock;
    HotLocks hot(clock);

    for (int round = 0; round < 100'000; ++round) {
        hot.note_contentions({{lock("tail/" + std::to_string(round)), Seconds(1)}});
        if (round % 50 == 0) hot.note_contentions({{lock("hot"), Seconds(1)}});
        if (round % 20'000 == 0) clock.advance(kSlot);
    }

    const auto first = hot.rank(Ranking::Contended, 1).at(0);
    EXPECT_EQ(first.name, "hot");
    EXPECT_LE(first.at_least, 2'000);
    EXPECT_GE(first.at_most, 2'000);
    EXPECT_LE(first.at_most - first.at_least, 102'000. / HotLocks::kNamesKept);
    EXPECT_LE(hot.rank(Ranking::Contended, 1'000'000).size(),
              HotLocks::kNamesKept * HotLocks::kSlots);
}

TEST(HotLocks, ADocumentNamesThemAll) {
    ManualClock clock;
    HotLocks hot(clock);
    hot.note_contentions({{lock("a"), Seconds(.25)}});

    EXPECT_EQ(hot_locks_document(hot, "[]", 10),
              R"({"window_seconds":3600,"longest_held":[],)"
              R"("most_waited":[{"lock":"a","waited_ms":250,"at_most":250}],)"
              R"("most_contended":[{"lock":"a","contended":1,"at_most":1}],)"
              R"("most_expired":[],"most_refused":[]})");
}

}  // namespace
}  // namespace fencegate::proxy
