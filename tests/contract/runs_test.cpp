// Run once: one claim per job and scheduled instant, and only the claim of now may finish it.
#include "tests/contract/gateway_suite.hpp"

#include <vector>

namespace fencegate::contract {
namespace {

class Run : public GatewaySuite {
protected:
    Response claim(std::string_view body = {}) { return client.request("POST", path, {}, body); }
    Response finish(std::string_view how, const Grant& claim, std::string_view body = {}) {
        return client.request("POST", path + "/" + std::string(how),
                              {{"X-Fence-Token", claim.token}}, body);
    }
    Response run() { return get(path); }

    const std::string job = fresh("nightly");
    const std::string slot = "2020-02-29T02:00:00Z";
    const std::string path = "/v1/runs/" + job + "/" + slot;
};

TEST_F(Run, IsClaimedByOneOfTwentyThatAskAtOnce) {
    std::vector<HttpsClient> workers;
    for (int worker = 0; worker < 20; ++worker) workers.push_back(gateway().client());
    for (auto& worker : workers) worker.send_raw(request_text(gateway(), "POST", path, {}, "{}"));

    int claimed = 0;
    for (auto& worker : workers) {
        const auto answer = worker.read_response();
        if (answer.status == 201) {
            ++claimed;
        } else {
            expect_problem(answer, 423, "lock_held");
        }
    }

    EXPECT_EQ(claimed, 1);
    EXPECT_EQ(run().json_int("attempts"), 1);
}

TEST_F(Run, IsClaimedThenDoneAndDoneIsFinal) {
    const auto granted = claim(R"({"owner":"worker-1","ttl_ms":60000})");
    const auto claimed = grant_of(granted);
    const auto while_claimed = run();

    const auto done = finish("done", claimed, R"({"result":"42 invoices"})");

    EXPECT_EQ(granted.json_text("lock"), "runs/" + job + "/" + slot);
    EXPECT_EQ(while_claimed.json_text("state"), "claimed");
    EXPECT_TRUE(while_claimed.json_bool("claim_is_live"));
    EXPECT_EQ(while_claimed.json_text("/claim/owner"), "worker-1");
    ASSERT_EQ(done.status, 200) << done.body;
    EXPECT_EQ(done.json_text("job"), job);
    EXPECT_EQ(done.json_text("slot"), slot);
    EXPECT_EQ(done.json_text("state"), "done");
    EXPECT_EQ(done.json_text("result"), "42 invoices");
    EXPECT_EQ(std::to_string(done.json_int("fencing_token")), claimed.token);
    EXPECT_EQ(lock(claimed.lock).json_text("state"), "free");
    expect_problem(claim(), 409, "run_done");
    expect_problem(claim(R"({"wait_ms":1000})"), 409, "run_done");
    expect_problem(finish("failed", claimed), 412, "lease_released");
    EXPECT_EQ(run().json_text("state"), "done");
}

TEST_F(Run, DoneTwiceUnderTheSameTokenIsAnsweredAlike) {
    const auto claimed = grant_of(claim());
    const auto first = finish("done", claimed, R"({"result":"first"})");

    const auto again = finish("done", claimed, R"({"result":"first"})");

    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again.body, first.body);
}

TEST_F(Run, DoneTwiceWithAnotherResultIsRefused) {
    const auto claimed = grant_of(claim());
    finish("done", claimed, R"({"result":"first"})");

    expect_problem(finish("done", claimed, R"({"result":"another"})"), 409, "run_done");

    EXPECT_EQ(run().json_text("result"), "first");
}

TEST_F(Run, WaitedForByOthersIsDoneForThemToo) {
    const auto claimed = grant_of(claim());
    auto waiting = begin("POST", path, R"({"wait_ms":60000})");
    await_waiters(claimed.lock, 1);

    ASSERT_EQ(finish("done", claimed).status, 200);

    expect_problem(waiting.read_response(), 409, "run_done");
    EXPECT_EQ(run().json_int("attempts"), 1);
}

TEST_F(Run, ThatFailedMayBeClaimedAgainUnderAHigherToken) {
    const auto first = grant_of(claim());
    const auto failed = finish("failed", first, R"({"result":"no disk"})");

    const auto second = grant_of(claim());

    EXPECT_EQ(failed.json_text("state"), "failed");
    EXPECT_EQ(failed.json_text("result"), "no disk");
    EXPECT_GT(std::stoll(second.token), std::stoll(first.token));
    EXPECT_EQ(run().json_text("state"), "claimed");
    EXPECT_EQ(run().json_int("attempts"), 2);
    EXPECT_FALSE(run().has("result"));
    expect_problem(finish("done", first), 412, "lease_released");
    EXPECT_EQ(finish("done", second).status, 200);
}

TEST_F(Run, WhoseWorkerCrashedIsTakenOverAndTheOldWorkerIsRefused) {
    const auto id = create_payment();
    const auto guarded = R"("locks":["payments/)" + id + R"("]})";
    const auto crashed = grant_of(claim(R"({"ttl_ms":100,)" + guarded));
    await_end(crashed, "expired");
    EXPECT_FALSE(run().json_bool("claim_is_live"));

    const auto successor = grant_of(claim(R"({"ttl_ms":60000,)" + guarded));

    EXPECT_GT(std::stoll(successor.token), std::stoll(crashed.token));
    expect_problem(finish("done", crashed), 412, "fence_token_stale");
    expect_problem(refund(id, crashed.token, 100), 412, "fence_token_stale");
    EXPECT_EQ(refund(id, successor.token, 100).status, 201);
    EXPECT_EQ(finish("done", successor).json_int("attempts"), 2);
}

TEST_F(Run, IsFinishedByItsClaimOnly) {
    const auto claimed = grant_of(claim());
    const auto other = grant(fresh("lock"));
    auto mallory = gateway().client(gateway().add_key("mallory", {"*"}));
    const Headers with_token{{"X-Fence-Token", claimed.token}};

    expect_problem(client.request("POST", path + "/done"), 428, "fence_token_required");
    expect_problem(finish("done", other), 412, "fence_lock_mismatch");
    expect_problem(mallory.request("POST", path + "/done", with_token), 403, "fence_not_holder");

    EXPECT_EQ(run().json_text("state"), "claimed");
    ASSERT_EQ(finish("done", claimed).status, 200);
    expect_problem(mallory.request("POST", path + "/done", with_token), 403, "fence_not_holder");
}

TEST_F(Run, IsNotFinishedByWhoTookItsLockWithoutAClaim) {
    const auto first = grant_of(claim());
    ASSERT_EQ(finish("failed", first).status, 200);
    const auto sneaked = grant("runs/" + job + "/" + slot);

    const auto refused = finish("done", sneaked);

    expect_problem(refused, 412, "fence_lock_mismatch");
    EXPECT_EQ(std::to_string(refused.json_int("claim_token")), first.token);
    EXPECT_EQ(run().json_text("state"), "failed");
}

TEST_F(Run, IsNotClaimedBeforeItIsDue) {
    const auto refused = client.request("POST", "/v1/runs/" + job + "/2999-01-01T00:00:00Z");

    expect_problem(refused, 409, "run_not_due");
    EXPECT_FALSE(refused.header("Retry-After").empty());
    EXPECT_GT(refused.json_int("due_in_ms"), 0);
    expect_problem(get("/v1/runs/" + job + "/2999-01-01T00:00:00Z"), 404, "run_not_found");
}

TEST_F(Run, FirstAskedForAfterItsGraceIsMissedForGood) {
    expect_problem(claim(R"({"start_within_ms":60000})"), 409, "run_missed");

    EXPECT_EQ(run().json_text("state"), "missed");
    EXPECT_EQ(run().json_int("attempts"), 0);
    EXPECT_FALSE(run().has("fencing_token"));
    expect_problem(claim(), 409, "run_missed");
}

TEST_F(Run, ClaimedInItsGraceMayBeTakenOverAfterIt) {
    const auto failed = grant_of(claim());
    ASSERT_EQ(finish("failed", failed).status, 200);

    EXPECT_EQ(claim(R"({"start_within_ms":1})").status, 201);
}

TEST_F(Run, IsInGraceHoweverLongThatIs) {
    EXPECT_EQ(claim(R"({"start_within_ms":9223372036854775807})").status, 201);
}

TEST_F(Run, HasOneSpellingOfItsSlotAndAStrictBody) {
    for (const auto* bad :
         {"2020-02-29T02:00:00", "2020-02-29T02:00:00.0Z", "2020-02-29T02:00:00+00:00",
          "2020-02-29t02:00:00z", "2021-02-29T02:00:00Z", "2020-02-29T24:00:00Z",
          "2020-02-29T02:00:60Z", "2020-2-29T02:00:00Z", "tonight"}) {
        SCOPED_TRACE(bad);
        const auto refused = client.request("POST", "/v1/runs/" + job + "/" + bad);
        EXPECT_EQ(refused.status, 400);
    }
    expect_problem(claim(R"({"start_within_ms":-1})"), 400, "invalid_argument");
    expect_problem(claim(R"({"mode":"shared"})"), 400, "invalid_json");
    expect_problem(run(), 404, "run_not_found");
    expect_problem(client.request("POST", path + "/done", {{"X-Fence-Token", "1"}}), 404,
                   "run_not_found");
}

TEST_F(Run, IsListedWithItsJobNewestFirst) {
    for (const auto* day : {"01", "03", "02"}) {
        const auto target = "/v1/runs/" + job + "/2020-01-" + day + "T00:00:00Z";
        ASSERT_EQ(client.request("POST", target).status, 201);
    }
    grant_of(client.request("POST", "/v1/runs/" + fresh("other") + "/2020-01-04T00:00:00Z"));

    const auto first = get("/v1/runs/" + job + "?limit=2");
    const auto rest = get("/v1/runs/" + job + "?cursor=" + first.json_text("next_cursor"));

    ASSERT_EQ(first.json_size("data"), 2U) << first.body;
    EXPECT_EQ(first.json_text("/data/0/slot"), "2020-01-03T00:00:00Z");
    EXPECT_EQ(first.json_text("/data/1/slot"), "2020-01-02T00:00:00Z");
    EXPECT_TRUE(first.json_bool("has_more"));
    ASSERT_EQ(rest.json_size("data"), 1U) << rest.body;
    EXPECT_EQ(rest.json_text("/data/0/slot"), "2020-01-01T00:00:00Z");
    EXPECT_FALSE(rest.json_bool("has_more"));
    expect_problem(get("/v1/runs/" + job + "?state=done"), 400, "invalid_argument");
}

}  // namespace
}  // namespace fencegate::contract
