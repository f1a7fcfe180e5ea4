// The line before a lock as those in it see it: their place, who is served next, and its length.
#include "tests/contract/watcher.hpp"

#include <vector>

namespace fencegate::contract {
namespace {

class Lines : public GatewaySuite {};

TEST_F(Lines, TellEverybodyTheirPlace) {
    const auto own = grant(fresh("lock"));
    auto first = stand_in_line(own.lock, 1, R"({"wait_ms":50000,"owner":"ann"})");
    auto second = stand_in_line(own.lock, 2, R"({"wait_ms":60000,"owner":"bob"})");

    EXPECT_THAT(acquire(own.lock),
                Refused(423, "lock_held", R"({"waiters_ahead":2,"position":3})"));
    EXPECT_THAT(lock(own.lock),
                Is(200, R"({"holder":{"principal":"default"},"line":[{"position":1,"owner":"ann",)"
                        R"("principal":"default","mode":"exclusive","waited_ms":"<0..>",)"
                        R"("gives_up_in_ms":"<1..50000>"},{"position":2,"owner":"bob"}]})"));
}

class ShortLines : public GatewaySuite {
protected:
    static void SetUpTestSuite() {
        start("waiters_per_lock_max = 3\n[class.short]\nwaiters_per_lock_max = 2\n");
    }
};

TEST_F(ShortLines, AreTheClassesOwnAndTurnAwayWhoComesTooLate) {
    for (const auto& [name, places] : {std::pair("short/lock", 2), {"lock", 3}}) {
        const auto own = grant(fresh(name));
        std::vector<HttpsClient> line;
        for (int place = 1; place <= places; ++place)
            line.push_back(stand_in_line(own.lock, place));

        EXPECT_THAT(acquire(own.lock, R"({"wait_ms":60000})"),
                    Refused(429, "queue_full").with("Retry-After", "<any>"));
        EXPECT_THAT(acquire(own.lock), Refused(423, "lock_held"));
        release(own);
        EXPECT_THAT(line.front().read_response(), Is(201));
        auto next = stand_in_line(own.lock, places);
    }
}

}  // namespace
}  // namespace fencegate::contract
