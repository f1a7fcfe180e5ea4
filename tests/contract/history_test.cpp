// The history of a lock: who held it, how it ended, and who wrote too late.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class History : public GatewaySuite {
protected:
    Response history(std::string_view lock, std::string_view more = "") {
        return get("/v1/history?lock=" + std::string(lock) + std::string(more));
    }
    static std::string token_at(const Response& page, std::size_t at) {
        return std::to_string(page.json_int("/data/" + std::to_string(at) + "/fencing_token"));
    }
};

TEST_F(History, SaysWhoHeldTheLockAndHowItEnded) {
    const auto name = fresh("lock");
    const auto released = grant_of(acquire(name, R"({"owner":"ann"})"));
    release(released);
    const auto expired = grant(name, 100);
    await_end(expired, "expired");
    const auto broken = grant(name);
    break_lock(broken);
    const auto living = grant(name);

    const auto page = history(name);

    ASSERT_EQ(page.status, 200) << page.body;
    EXPECT_EQ(page.json_text("lock"), name);
    ASSERT_EQ(page.json_size("data"), 4U);
    EXPECT_EQ(token_at(page, 0), living.token);
    EXPECT_EQ(page.json_text("/data/0/state"), "live");
    EXPECT_FALSE(page.has("/data/0/ended_at"));
    EXPECT_EQ(token_at(page, 1), broken.token);
    EXPECT_EQ(page.json_text("/data/1/state"), "broken");
    EXPECT_EQ(page.json_text("/data/1/break_reason"), "a test says so");
    EXPECT_EQ(token_at(page, 2), expired.token);
    EXPECT_EQ(page.json_text("/data/2/state"), "superseded");
    EXPECT_FALSE(page.has("/data/2/break_reason"));
    EXPECT_EQ(page.json_text("/data/3/lease_id"), released.lease_id);
    EXPECT_EQ(page.json_text("/data/3/state"), "released");
    EXPECT_EQ(page.json_text("/data/3/owner"), "ann");
    EXPECT_FALSE(page.json_text("/data/3/principal").empty());
    EXPECT_FALSE(page.json_text("/data/3/ended_at").empty());
    EXPECT_EQ(page.json_int("/data/3/refused_writes"), 0);
    EXPECT_FALSE(page.json_bool("has_more"));
}

TEST_F(History, SaysWhichStaleWritesWereRefused) {
    const auto id = create_payment();
    const auto stale = grant("payments/" + id, 100);
    await_end(stale, "expired");
    const auto current = grant_of(acquire(stale.lock, R"({"owner":"successor"})"));

    const auto refused = refund(id, stale.token, 100);

    expect_problem(refused, 412, "fence_token_stale");
    const auto page = history(stale.lock);
    EXPECT_EQ(page.json_int("/data/0/refused_writes"), 0);
    EXPECT_EQ(page.json_int("/data/1/refused_writes"), 1);
    const std::string refusal = "/data/1/refusals/0/";
    EXPECT_EQ(page.json_text(refusal + "code"), "fence_token_stale");
    EXPECT_EQ(page.json_text(refusal + "principal"), page.json_text("/data/1/principal"));
    EXPECT_EQ(page.json_text(refusal + "route"), "/v1/payments/{id}/refunds");
    EXPECT_EQ(page.json_text(refusal + "request_id"), refused.json_text("request_id"));
    EXPECT_EQ(page.json_int(refusal + "late_ms"), refused.json_int("ended_ms_ago"));
    EXPECT_EQ(std::to_string(page.json_int(refusal + "current_token")), current.token);
    EXPECT_EQ(page.json_text(refusal + "current_owner"), "successor");
    EXPECT_TRUE(page.json_text(refusal + "at").ends_with('Z'));
}

TEST_F(History, NamesTheStrangerWhoTriedAForeignToken) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    auto mallory = gateway().client(gateway().add_key("mallory", {"*"}));

    const auto refused = mallory.request(
        "POST", "/v1/payments/" + id + "/refunds",
        {{"Idempotency-Key", fresh("key")}, {"X-Fence-Token", own.token}}, R"({"amount":1})");

    expect_problem(refused, 403, "fence_not_holder");
    const auto page = history(own.lock);
    EXPECT_EQ(page.json_text("/data/0/refusals/0/principal"), "mallory");
    EXPECT_EQ(page.json_text("/data/0/refusals/0/code"), "fence_not_holder");
    EXPECT_EQ(page.json_int("/data/0/refusals/0/late_ms"), 0) << "the lease is live";
}

TEST_F(History, CountsEveryRefusedWriteAndShowsTheFirstTwenty) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    release(own);

    for (int write = 0; write < 25; ++write)
        expect_problem(refund(id, own.token, 1), 412, "lease_released");

    const auto page = history(own.lock);
    EXPECT_EQ(page.json_int("/data/0/refused_writes"), 25);
    EXPECT_EQ(page.json_size("/data/0/refusals"), 20U);
}

TEST_F(History, ComesInPagesFromTheNewestOn) {
    const auto name = fresh("lock");
    std::string tokens;
    for (int round = 0; round < 5; ++round) {
        const auto own = grant(name);
        tokens = own.token + " " + tokens;
        release(own);
    }

    std::string seen;
    std::string more = "&limit=2";
    for (int pages = 0; pages < 3; ++pages) {
        const auto page = history(name, more);
        for (std::size_t at = 0; at < page.json_size("data"); ++at)
            seen += token_at(page, at) + " ";
        EXPECT_EQ(page.json_bool("has_more"), pages < 2);
        if (pages < 2) more = "&limit=2&cursor=" + page.json_text("next_cursor");
    }

    EXPECT_EQ(seen, tokens);
}

TEST_F(History, OfALeaseOverTwoLocksIsInBoth) {
    const auto a = fresh("lock/a");
    const auto b = fresh("lock/b");
    const auto before = grant(b);
    release(before);

    const auto both = grant_of(
        client.request("POST", "/v1/leases", {}, R"({"locks":[")" + a + R"(",")" + b + R"("]})"));
    release(both);
    const auto after = grant(b);

    const auto of_a = history(a);
    ASSERT_EQ(of_a.json_size("data"), 1U) << of_a.body;
    EXPECT_EQ(token_at(of_a, 0), both.token);
    const auto of_b = history(b);
    ASSERT_EQ(of_b.json_size("data"), 3U) << of_b.body;
    EXPECT_EQ(token_at(of_b, 0), after.token);
    EXPECT_EQ(token_at(of_b, 1), both.token);
    EXPECT_EQ(token_at(of_b, 2), before.token);
}

TEST_F(History, SurvivesARestart) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    break_lock(own);
    expect_problem(refund(id, own.token, 1), 412, "lease_broken");
    const auto before = history(own.lock);

    client.close();
    gateway().restart();
    client = gateway().client();

    EXPECT_EQ(history(own.lock).body, before.body);
}

TEST_F(History, OfALockNobodyHeldIsEmptyAndItsQueryIsStrict) {
    const auto nobody = history(fresh("lock"));

    EXPECT_EQ(nobody.status, 200);
    EXPECT_EQ(nobody.json_size("data"), 0U);
    expect_problem(get("/v1/history"), 400, "invalid_argument");
    expect_problem(get("/v1/history?lock=a..b//c"), 400, "invalid_lock_name");
    expect_problem(history("a", "&before=7"), 400, "invalid_argument");
    expect_problem(history("a", "&cursor=x"), 400, "invalid_argument");
    expect_problem(history("a", "&limit=101"), 400, "invalid_argument");
}

}  // namespace
}  // namespace fencegate::contract
