// The line before a lock as those in it see it: their place, who is served next, and its length.
#include "tests/contract/gateway_suite.hpp"
#include "tests/support/api_calls.hpp"

#include <vector>

namespace fencegate::contract {
namespace {

class Lines : public GatewaySuite {
protected:
    HttpsClient admin = gateway().admin_client();
};

TEST_F(Lines, TellEverybodyTheirPlace) {
    const auto own = grant(fresh("lock"));
    auto first = stand_in_line(own.lock, 1, R"({"wait_ms":50000,"owner":"ann"})");
    auto second = stand_in_line(own.lock, 2, R"({"wait_ms":60000,"owner":"bob"})");

    const auto refused = acquire(own.lock);
    const auto shown = lock(own.lock);

    expect_problem(refused, 423, "lock_held");
    EXPECT_EQ(refused.json_int("waiters_ahead"), 2);
    EXPECT_EQ(refused.json_int("position"), 3);
    ASSERT_EQ(shown.json_size("line"), 2U);
    EXPECT_EQ(shown.json_int("/line/0/position"), 1);
    EXPECT_EQ(shown.json_text("/line/0/owner"), "ann");
    EXPECT_EQ(shown.json_text("/line/0/principal"), shown.json_text("/holder/principal"));
    EXPECT_EQ(shown.json_text("/line/0/mode"), "exclusive");
    EXPECT_GE(shown.json_int("/line/0/waited_ms"), 0);
    EXPECT_GT(shown.json_int("/line/0/gives_up_in_ms"), 0);
    EXPECT_LE(shown.json_int("/line/0/gives_up_in_ms"), 50'000);
    EXPECT_EQ(shown.json_int("/line/1/position"), 2);
    EXPECT_EQ(shown.json_text("/line/1/owner"), "bob");
}

TEST_F(Lines, MoveByOneForEachRelease) {
    const auto granted_so_far = [this] {
        return std::stoll(testing::metric(
            admin, R"(fencegate_lock_acquire_total{class="other",outcome="granted"})"));
    };
    const auto own = grant(fresh("lock"));
    std::vector<HttpsClient> line;
    for (int place = 1; place <= 12; ++place) line.push_back(stand_in_line(own.lock, place));
    const auto before = granted_so_far();

    release(own);

    EXPECT_EQ(line.front().read_response().status, 201);
    EXPECT_EQ(lock(own.lock).json_int("waiters"), 11);
    EXPECT_EQ(granted_so_far(), before + 1);
}

class ShortLines : public GatewaySuite {
protected:
    static void SetUpTestSuite() { start("[class.short]\nwaiters_per_lock_max = 2\n"); }
};

TEST_F(ShortLines, AreTheClassesOwnAndTurnAwayWhoComesTooLate) {
    constexpr std::string_view kWait = R"({"wait_ms":60000})";
    const auto own = grant(fresh("short/lock"));
    const auto elsewhere = grant(fresh("lock"));
    auto first = stand_in_line(own.lock, 1);
    auto second = stand_in_line(own.lock, 2);

    const auto refused = acquire(own.lock, kWait);

    expect_problem(refused, 429, "queue_full");
    EXPECT_FALSE(refused.header("Retry-After").empty());
    expect_problem(acquire(own.lock), 423, "lock_held");
    std::vector<HttpsClient> line;
    for (int place = 1; place <= 3; ++place) line.push_back(stand_in_line(elsewhere.lock, place));
    release(own);
    EXPECT_EQ(first.read_response().status, 201);
    auto third = stand_in_line(own.lock, 2);
}

}  // namespace
}  // namespace fencegate::contract
