// Following events costs the others nothing: whoever reads slowly, or not at all, or comes in
// thousands.
#include "tests/contract/watcher.hpp"
#include "tests/support/stopwatch.hpp"

#include <chrono>
#include <csignal>
#include <sys/resource.h>

namespace fencegate::contract {
namespace {

class LimitedWatch : public GatewaySuite {
protected:
    void renew(const Grant& grant, std::size_t times) {
        const auto target = "/v1/leases/" + grant.lease_id + "/renew";
        for (std::size_t done = 0; done < times; ++done) client.request("POST", target);
    }
    // Whose events are as long as they get: control characters are written as six.
    Grant grant_long_winded() {
        std::string owner;
        for (int byte = 0; byte < 128; ++byte) owner += "\\u0001";
        return grant_of(acquire(fresh("lock"), filled(R"({"ttl_ms":60000,"owner":"$"})", owner)));
    }
    // With a small window, so that it takes few events to fill it.
    static Watcher watch_without_reading(std::string_view query = {}) {
        auto options = gateway().client_options();
        options.api_key = gateway().api_key();
        options.receive_buffer_bytes = 4'096;
        HttpsClient connected(std::move(options));
        connected.connect();
        return {gateway(), std::move(connected), query, {}};
    }
    static std::string ended(std::string_view reason) {
        return metric(gateway(), filled(R"(fencegate_watch_ended_total{reason="$"})", reason));
    }
};

class FewEvents : public LimitedWatch {
protected:
    static void SetUpTestSuite() { start("watch_events_max = 1\nwatch_heartbeat = \"100ms\"\n"); }
};

// A release with a waiter makes two events in one commit. Where one is kept, the other is lost
// before anybody could read it.
TEST_F(FewEvents, AWatcherThatWasOvertakenIsToldAndCutOff) {
    const auto own = grant(fresh("lock"));
    auto waiting = stand_in_line(own.lock, 1);
    Watcher watcher(gateway(), "?lock=" + own.lock);

    release(own);

    const auto events = watcher.rest();
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back().name, "overrun");
    EXPECT_EQ(events.back().id, "") << "its next id must be one that was missed";
    EXPECT_TRUE(watcher.client.closed_by_peer());
    EXPECT_EQ(ended("overrun"), "1");
    EXPECT_THAT(waiting.read_response(), Is(201));
}

TEST_F(FewEvents, AnIdOlderThanWhatIsKeptIsTooOld) {
    const auto own = grant(fresh("lock"));
    const auto present = Watcher(gateway()).opening.id;
    renew(own, 1);
    EXPECT_EQ(Watcher(gateway(), {}, present).next().name, "renewed");
    renew(own, 1);

    EXPECT_THAT(Watcher(gateway(), {}, present).next(),
                IsEvent("reset", R"({"reason":"too_old"})"));
}

// Without it, a watcher of a quiet lock would come back with an id that is long gone.
TEST_F(FewEvents, AHeartbeatCarriesTheIdUpToWhichNothingWasMissed) {
    const auto own = grant(fresh("lock"));
    Watcher quiet(gateway(), "?lock=" + fresh("quiet"));
    renew(own, 1);
    Event heartbeat = quiet.next_block();
    while (number_of(heartbeat) == number_of(quiet.opening)) heartbeat = quiet.next_block();

    Watcher again(gateway(), {}, heartbeat.id);
    renew(own, 1);

    EXPECT_EQ(heartbeat.comment, "heartbeat");
    EXPECT_EQ(again.next().name, "renewed") << "and no reset before it";
}

class FewPlaces : public LimitedWatch {
protected:
    static void SetUpTestSuite() { start("watchers_max = 2\n"); }
};

TEST_F(FewPlaces, WhoFindsNoneIsRefusedAndMayComeBack) {
    Watcher first(gateway());
    Watcher second(gateway());

    EXPECT_THAT(get("/v1/watch"), Refused(503, "overloaded").with("Retry-After", "<any>"));
    first.client.close();
    await("a place", [&] {
        client.send_raw(request_text(gateway(), "GET", "/v1/watch"));
        const auto head = client.read_head();
        if (head.status != 200) static_cast<void>(client.connect());
        return head.status == 200;
    });
}

class SlowReaders : public LimitedWatch {
protected:
    static void SetUpTestSuite() { start("write_timeout = \"500ms\"\n"); }
};

TEST_F(SlowReaders, AreCutOffAndHoldUpNobody) {
    const auto own = grant_long_winded();
    std::vector<Watcher> slow;
    for (int member = 0; member < 4; ++member) slow.push_back(watch_without_reading());
    Watcher quick(gateway(), "?prefix=quick");

    std::chrono::milliseconds longest{0};
    await("cut off", [&] {
        renew(own, 500);
        const testing::Stopwatch watch;
        const auto name = fresh("quick");
        grant(name);
        EXPECT_EQ(quick.next().data.json_text("lock"), name);
        longest = std::max(longest, watch.elapsed());
        return ended("slow") == "4";
    });

    EXPECT_LT(longest, std::chrono::seconds(1));
    EXPECT_EQ(metric(gateway(), "fencegate_watchers"), "1");
}

class SleepyReaders : public LimitedWatch {
protected:
    static void SetUpTestSuite() { start("watch_events_max = 1000\n"); }
};

TEST_F(SleepyReaders, ReadWhatWasSentAndThenThatTheyWereOvertaken) {
    const auto own = grant_long_winded();
    constexpr std::size_t kMoreThanFits = 6'000;
    auto sleepy = watch_without_reading("?lock=" + own.lock);

    renew(own, kMoreThanFits);

    const auto events = sleepy.rest();
    ASSERT_GT(events.size(), 1U);
    EXPECT_LT(events.size(), kMoreThanFits);
    EXPECT_EQ(events.back().name, "overrun");
    for (std::size_t at = 1; at + 1 < events.size(); ++at)
        ASSERT_EQ(number_of(events[at]), number_of(events[at - 1]) + 1);
}

class DrainedWatch : public LimitedWatch {};

TEST_F(DrainedWatch, IsToldAndDoesNotHoldUpTheEnd) {
    const auto own = grant_long_winded();
    Watcher reading(gateway(), "?lock=quiet");
    auto asleep = watch_without_reading();
    renew(own, 4'000);  // more than fits
    client.close();
    const testing::Stopwatch watch;

    gateway().signal(SIGTERM);

    const auto events = reading.rest();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].name, "draining");
    reading.client.close();
    EXPECT_EQ(gateway().wait_for_exit(), 0);
    EXPECT_LT(watch.elapsed(), std::chrono::seconds(10));
    gateway().start();
}

class ManyWatchers : public LimitedWatch {
protected:
    static constexpr std::size_t kCount = 1'000;

    static void raise_descriptor_limit() {
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
};

TEST_F(ManyWatchers, AllSeeAnEventAndCostABoundedAmountOfMemory) {
    raise_descriptor_limit();
    const auto own = grant_long_winded();
    const auto before = resident_kib(gateway());
    std::vector<Watcher> watchers;
    for (std::size_t member = 0; member < kCount; ++member)
        watchers.emplace_back(gateway(), "?lock=" + own.lock);
    EXPECT_EQ(metric(gateway(), "fencegate_watchers"), std::to_string(kCount));

    release(own);

    for (auto& watcher : watchers) ASSERT_EQ(watcher.next().name, "released");
    const auto per_watcher = (resident_kib(gateway()) - before) / kCount;
    RecordProperty("kib_per_watcher", static_cast<int>(per_watcher));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LT(per_watcher, 160U);
#endif
}

}  // namespace
}  // namespace fencegate::contract
