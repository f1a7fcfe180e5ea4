// The report of those who wait for each other. Nothing is ended because of it.
#include "tests/contract/gateway_suite.hpp"
#include "tests/support/api_calls.hpp"

namespace fencegate::contract {
namespace {

class Deadlocks : public GatewaySuite {
protected:
    Response report() { return get("/v1/locks/deadlocks"); }
    std::string metric() { return testing::metric(admin, "fencegate_lock_deadlocks"); }
    Grant held_by(std::string_view owner, std::string_view lock) {
        return grant_of(acquire(lock, R"({"ttl_ms":60000,"owner":")" + std::string(owner) + "\"}"));
    }
    HttpsClient wait_as(std::string_view owner, const Grant& held, std::int64_t place = 1) {
        return stand_in_line(held.lock, place,
                             R"({"wait_ms":60000,"owner":")" + std::string(owner) + "\"}");
    }

    HttpsClient admin = gateway().admin_client();
    const std::string a = fresh("lock/a");
    const std::string b = fresh("lock/b");
};

TEST_F(Deadlocks, AreReportedWithTheirCircleAndNothingIsEnded) {
    const auto anns = held_by("ann", a);
    const auto bobs = held_by("bob", b);
    auto ann = wait_as("ann", bobs);
    EXPECT_EQ(report().json_int("count"), 0) << "one of them can still go on";

    auto bob = wait_as("bob", anns);

    const auto found = report();
    ASSERT_EQ(found.json_int("count"), 1) << found.body;
    ASSERT_EQ(found.json_size("/deadlocks/0/waits"), 2U);
    const bool ann_is_first = found.json_text("/deadlocks/0/waits/0/waiter/owner") == "ann";
    const std::string anns_wait = ann_is_first ? "/deadlocks/0/waits/0" : "/deadlocks/0/waits/1";
    const std::string bobs_wait = ann_is_first ? "/deadlocks/0/waits/1" : "/deadlocks/0/waits/0";
    EXPECT_EQ(found.json_text(anns_wait + "/waiter/owner"), "ann");
    EXPECT_EQ(found.json_text(anns_wait + "/lock"), b);
    EXPECT_EQ(found.json_text(anns_wait + "/blocker/owner"), "bob");
    EXPECT_EQ(found.json_text(anns_wait + "/blocker_is"), "holder");
    EXPECT_EQ(found.json_text(bobs_wait + "/waiter/owner"), "bob");
    EXPECT_EQ(found.json_text(bobs_wait + "/lock"), a);
    EXPECT_TRUE(eventually("the metric says 1", [&] { return metric() == "1"; }));
    EXPECT_EQ(lease(anns).json_text("state"), "live");
    EXPECT_EQ(lock(a).json_int("waiters"), 1);
    EXPECT_EQ(lock(b).json_int("waiters"), 1);

    bob.close();

    EXPECT_TRUE(eventually("the metric says 0", [&] { return metric() == "0"; }));
    EXPECT_EQ(report().json_int("count"), 0);
    release(bobs);
    EXPECT_EQ(ann.read_response().status, 201);
}

TEST_F(Deadlocks, AreNotSeenInWaitersWithoutALabel) {
    const auto first = grant(a);
    const auto second = grant(b);
    auto one = stand_in_line(b, 1);
    auto other = stand_in_line(a, 1);

    EXPECT_EQ(report().json_int("count"), 0) << "nobody can tell who is who";
}

TEST_F(Deadlocks, ThatGoThroughALineAreReportedToo) {
    const auto anns = held_by("ann", a);
    const auto daves = held_by("dave", b);
    auto carl_first = wait_as("carl", daves);
    auto ann = wait_as("ann", daves, 2);
    EXPECT_EQ(report().json_int("count"), 0);

    auto carl_too = wait_as("carl", anns);

    const auto found = report();
    ASSERT_EQ(found.json_int("count"), 1) << found.body;
    ASSERT_EQ(found.json_size("/deadlocks/0/waits"), 2U);
    EXPECT_TRUE(contains(found.body, "ahead_in_line")) << found.body;
    EXPECT_FALSE(contains(found.body, "dave")) << "who can go on is no part of it";
}

TEST_F(Deadlocks, OfAHolderThatWaitsForItselfAreReported) {
    const auto own = held_by("ann", a);
    auto again = wait_as("ann", own);

    const auto found = report();

    ASSERT_EQ(found.json_int("count"), 1) << found.body;
    EXPECT_EQ(found.json_size("/deadlocks/0/waits"), 1U);
}

TEST_F(Deadlocks, HaveANameThatNoLockMayHave) {
    expect_problem(acquire("deadlocks"), 400, "invalid_lock_name");
    EXPECT_EQ(report().json_size("deadlocks"), 0U);
}

}  // namespace
}  // namespace fencegate::contract
