// The report of those who wait for each other. Nothing is ended because of it.
#include "tests/contract/watcher.hpp"

namespace fencegate::contract {
namespace {

class Deadlocks : public GatewaySuite {
protected:
    Response report() { return get("/v1/locks/deadlocks"); }
    void await_count(std::string_view count) {
        await(filled("a metric of $", count),
              [&] { return metric(gateway(), "fencegate_lock_deadlocks") == count; });
    }
    Grant held_by(std::string_view owner, std::string_view lock) {
        return grant_of(acquire(lock, filled(R"({"ttl_ms":60000,"owner":"$"})", owner)));
    }
    HttpsClient wait_as(std::string_view owner, const Grant& held, std::int64_t place = 1) {
        return stand_in_line(held.lock, place, filled(R"({"wait_ms":60000,"owner":"$"})", owner));
    }

    const std::string a = fresh("lock/a");
    const std::string b = fresh("lock/b");
};

TEST_F(Deadlocks, AreReportedWithTheirCircleAndNothingIsEnded) {
    const auto anns = held_by("ann", a);
    const auto bobs = held_by("bob", b);
    auto ann = wait_as("ann", bobs);
    EXPECT_THAT(report(), Is(200, R"({"count":0,"deadlocks":[]})")) << "one can still go on";

    auto bob = wait_as("bob", anns);

    const auto found = report();
    const auto wait = [](std::string_view who, std::string_view lock, std::string_view whom) {
        return filled(
            R"({"waiter":{"owner":"$"},"lock":"$","blocker":{"owner":"$"},"blocker_is":"holder"})",
            who, lock, whom);
    };
    const auto circle = [](const std::string& first, const std::string& second) {
        return Is(200, R"({"count":1,"deadlocks":[{"waits":[$,$]}]})", first, second);
    };
    EXPECT_THAT(found, ::testing::AnyOf(circle(wait("ann", b, "bob"), wait("bob", a, "ann")),
                                        circle(wait("bob", a, "ann"), wait("ann", b, "bob"))));
    await_count("1");
    EXPECT_EQ(state_of(anns), "live");
    EXPECT_THAT(lock(a), Is(200, R"({"waiters":1})"));

    bob.close();

    await_count("0");
    EXPECT_THAT(report(), Is(200, R"({"count":0})"));
    release(bobs);
    EXPECT_THAT(ann.read_response(), Is(201));
}

TEST_F(Deadlocks, ThatGoThroughALineAreReportedToo) {
    const auto anns = held_by("ann", a);
    const auto daves = held_by("dave", b);
    auto carl_first = wait_as("carl", daves);
    auto ann = wait_as("ann", daves, 2);

    auto carl_too = wait_as("carl", anns);

    const auto found = report();
    EXPECT_THAT(found, Is(200, R"({"count":1,"deadlocks":[{"waits":["<any>","<any>"]}]})"));
    EXPECT_TRUE(contains(found.body, R"("blocker_is":"ahead_in_line")")) << found.body;
    EXPECT_FALSE(contains(found.body, "dave")) << "who can go on is no part of it";
}

TEST_F(Deadlocks, HaveANameThatNoLockMayHave) {
    EXPECT_THAT(acquire("deadlocks"), Refused(400, "invalid_lock_name"));
}

}  // namespace
}  // namespace fencegate::contract
