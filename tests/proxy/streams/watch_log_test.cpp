// The log of events: what a watcher reads from its position, and when it is told that it cannot.
#include "proxy/streams/watch_log.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace fencegate::proxy {
namespace {

using Filled = WatchCursor::Filled;

constexpr std::size_t kAllBytes = 1'000'000;
const std::string kRun = "0123456789abcdef";

storage::LockNotice notice(std::vector<std::string_view> locks, std::int64_t token = 1) {
    storage::LockNotice notice{
        .locks = {}, .token = lockmgr::FencingToken(token), .principal = "p", .owner = "o"};
    for (const auto lock : locks) notice.locks.push_back(lockmgr::LockName::from_store(lock));
    return notice;
}

std::size_t count_of(std::string_view part, std::string_view text) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

class Wakes final : public WatchListener {
public:
    void on_published() override { ++count; }
    int count = 0;
};

class WatchLogTest : public ::testing::Test {
protected:
    void publish(std::size_t count, std::string_view lock = "a") {
        log.publish(std::vector(count, notice({lock})));
    }
    std::string read(WatchCursor& cursor, Filled expected = Filled::Everything) {
        std::string out;
        EXPECT_EQ(cursor.fill(kAllBytes, out), expected);
        return out;
    }
    WatchLog log{kRun, {.events_max = 8, .watchers_max = 2}};
};

TEST_F(WatchLogTest, AWatcherReadsWhatCameBehindItsPositionOnce) {
    publish(2);
    WatchCursor cursor(log, {}, log.present());
    publish(3);
    publish(1);

    const auto text = read(cursor);

    EXPECT_EQ(count_of("event: granted\n", text), 4U);
    EXPECT_EQ(count_of("id: " + kRun + "-2\n", text), 0U);
    for (const char* number : {"3", "4", "5", "6"})
        EXPECT_EQ(count_of("id: " + kRun + "-" + number + "\n", text), 1U) << number;
    EXPECT_EQ(cursor.seen(), 6U);
    EXPECT_EQ(read(cursor), "");
}

TEST_F(WatchLogTest, APositionInTheMiddleOfACommitIsGoneOnFrom) {
    publish(5);
    WatchCursor cursor(log, {}, 3);

    EXPECT_EQ(count_of("event: ", read(cursor)), 2U);
}

TEST_F(WatchLogTest, WritesWholeEventsUpToABound) {
    publish(8);
    WatchCursor cursor(log, {}, 0);
    std::string out;

    EXPECT_EQ(cursor.fill(1, out), Filled::Part);

    EXPECT_EQ(cursor.seen(), 1U);
    EXPECT_TRUE(out.ends_with("\n\n"));
    std::string rest;
    EXPECT_EQ(cursor.fill(out.size() + 1, rest), Filled::Part);
    EXPECT_EQ(count_of("event: ", rest), 2U);
}

TEST_F(WatchLogTest, WhoIsOvertakenIsTold) {
    WatchCursor cursor(log, {}, 0);
    publish(4);
    publish(4);
    WatchCursor just_in_time(log, {}, 4);
    publish(1);

    read(cursor, Filled::Overrun);
    EXPECT_EQ(count_of("event: ", read(just_in_time)), 5U);
}

TEST_F(WatchLogTest, ACommitLargerThanTheLogKeepsItsEnd) {
    WatchCursor overtaken(log, {}, 0);
    publish(20);
    WatchCursor cursor(log, {}, 12);

    read(overtaken, Filled::Overrun);
    EXPECT_EQ(count_of("event: ", read(cursor)), 8U);
    EXPECT_EQ(log.present(), 20U);
    EXPECT_EQ(log.resume(kRun + "-11").missed, "too_old");
}

TEST_F(WatchLogTest, ALockIsComparedAsAWhole) {
    log.publish({notice({"a"}), notice({"ab"}), notice({"a/b"}), notice({"b"})});
    WatchCursor cursor(log, {WatchFilter::Kind::Lock, "a"}, 0);

    const auto text = read(cursor);

    EXPECT_EQ(count_of("event: ", text), 1U);
    EXPECT_EQ(count_of(R"("lock":"a")", text), 1U);
    EXPECT_EQ(cursor.seen(), 4U);
}

TEST_F(WatchLogTest, APrefixIsComparedByBytes) {
    log.publish({notice({"a"}), notice({"ab"}), notice({"a/b"}), notice({"b"}), notice({})});
    WatchCursor all(log, {}, 0);
    WatchCursor bytes(log, {WatchFilter::Kind::Prefix, "a"}, 0);
    WatchCursor segment(log, {WatchFilter::Kind::Prefix, "a/"}, 0);

    EXPECT_EQ(count_of("event: ", read(all)), 5U);
    EXPECT_EQ(count_of("event: ", read(bytes)), 3U);
    EXPECT_EQ(count_of("event: ", read(segment)), 1U);
}

TEST_F(WatchLogTest, ALeaseOverManyLocksIsFoundByEachOfThem) {
    log.publish({notice({"a", "b"}), notice({"ab", "b/c"})});
    WatchCursor first(log, {WatchFilter::Kind::Lock, "a"}, 0);
    WatchCursor second(log, {WatchFilter::Kind::Lock, "b"}, 0);
    WatchCursor other(log, {WatchFilter::Kind::Lock, "c"}, 0);

    EXPECT_EQ(count_of("event: ", read(first)), 1U);
    EXPECT_EQ(count_of("event: ", read(second)), 1U);
    EXPECT_EQ(read(other), "");
}

TEST_F(WatchLogTest, AWatcherPassesOverWhatItDoesNotWant) {
    WatchCursor cursor(log, {WatchFilter::Kind::Lock, "a"}, 0);
    log.publish({notice({"b"}), notice({"c"})});

    EXPECT_FALSE(cursor.is_wanted_in(*log.behind(0)));
    EXPECT_EQ(cursor.seen(), 2U);
    log.publish({notice({"b"}), notice({"a"})});
    EXPECT_TRUE(cursor.is_wanted_in(*log.behind(0)));
    EXPECT_EQ(count_of("event: ", read(cursor)), 1U);
    EXPECT_FALSE(cursor.is_wanted_in(*log.behind(0)));
}

TEST_F(WatchLogTest, AWatcherThatIsFurtherBehindHasToLookForItself) {
    WatchCursor cursor(log, {WatchFilter::Kind::Lock, "a"}, 0);
    publish(1);
    publish(1, "b");

    EXPECT_TRUE(cursor.is_wanted_in(*log.behind(1)));
    EXPECT_EQ(cursor.seen(), 0U);
}

TEST_F(WatchLogTest, ItsOwnIdsAreResumed) {
    publish(2);
    publish(6);

    const auto resumed = log.resume(log.id(3));

    EXPECT_EQ(resumed.position, 3U);
    EXPECT_EQ(resumed.missed, "");
    EXPECT_EQ(log.resume(log.id(log.present())).missed, "");
}

TEST_F(WatchLogTest, AnEmptyLogResumesWhereItBegins) {
    EXPECT_EQ(log.resume(kRun + "-0").missed, "");
    EXPECT_EQ(log.resume(kRun + "-0").position, 0U);
}

struct MissedRow {
    const char* name;
    std::string id;
    const char* reason;
};

TEST_F(WatchLogTest, OtherIdsStartAtThePresentAndSayWhy) {
    publish(5);
    publish(5);  // the first five are dropped: commits are kept as a whole

    for (const auto& row : {
             MissedRow{"another run", "ffffffffffffffff-7", "restarted"},
             MissedRow{"dropped", kRun + "-4", "too_old"},
             MissedRow{"not yet", kRun + "-11", "malformed"},
             MissedRow{"no number", kRun + "-", "malformed"},
             MissedRow{"no dash", kRun, "malformed"},
             MissedRow{"leading zero", kRun + "-07", "malformed"},
             MissedRow{"sign", kRun + "-+7", "malformed"},
             MissedRow{"overflow", kRun + "-18446744073709551623", "malformed"},
             MissedRow{"trailing", kRun + "-7 ", "malformed"},
             MissedRow{"upper case", "0123456789ABCDEF-7", "malformed"},
             MissedRow{"short run", "0123-7", "malformed"},
             MissedRow{"empty", "", "malformed"},
         }) {
        const auto resumed = log.resume(row.id);
        EXPECT_EQ(resumed.missed, row.reason) << row.name;
        EXPECT_EQ(resumed.position, 10U) << row.name;
    }
    EXPECT_EQ(log.resume(kRun + "-5").missed, "");
}

TEST_F(WatchLogTest, ACommitIsAnnouncedOnceToEveryThread) {
    Wakes first;
    Wakes second;
    log.add_listener(first);
    log.add_listener(second);

    publish(5);
    log.publish({});

    EXPECT_EQ(first.count, 1);
    EXPECT_EQ(second.count, 1);
}

TEST_F(WatchLogTest, HasAPlaceForEachOfItsWatchers) {
    auto first = log.take_seat();
    auto second = log.take_seat();
    ASSERT_TRUE(first && second);

    EXPECT_FALSE(log.take_seat());
    first.reset();
    EXPECT_TRUE(log.take_seat());
}

// Under the thread sanitizer this is the proof; elsewhere it shows that nothing is lost.
TEST(WatchLogThreads, ReadersSeeEveryEventWhileOthersAreWritten) {
    constexpr std::size_t kCommits = 1'000;
    WatchLog log(kRun, {.events_max = 3 * kCommits, .watchers_max = 0});
    std::vector<std::thread> readers;
    std::vector<std::size_t> counts(3, 0);
    for (auto& count : counts) {
        readers.emplace_back([&log, &count] {
            WatchCursor cursor(log, {}, 0);
            while (cursor.seen() < 3 * kCommits) {
                std::string out;
                ASSERT_NE(cursor.fill(1'000, out), Filled::Overrun);
                count += count_of("event: ", out);
                if (out.empty()) std::this_thread::yield();
            }
        });
    }

    for (std::size_t at = 0; at < kCommits; ++at) log.publish(std::vector(3, notice({"a"})));
    for (auto& reader : readers) reader.join();

    EXPECT_EQ(counts, std::vector(3, 3 * kCommits));
}

}  // namespace
}  // namespace fencegate::proxy
