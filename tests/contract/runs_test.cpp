// Run once: one claim per job and scheduled instant, and only the claim of now may finish it.
#include "tests/contract/gateway_suite.hpp"

#include <vector>

namespace fencegate::contract {
namespace {

class Run : public GatewaySuite {
protected:
    Response claim(std::string_view body = {}) { return post(path, body); }
    Response finish(std::string_view how, const Grant& claim, std::string_view body = {}) {
        return post(filled("$/$", path, how), body, fence(claim.token));
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
        EXPECT_THAT(answer, ::testing::AnyOf(Is(201), Refused(423, "lock_held")));
        claimed += answer.status == 201 ? 1 : 0;
    }

    EXPECT_EQ(claimed, 1);
    EXPECT_THAT(run(), Is(200, R"({"attempts":1})"));
}

TEST_F(Run, IsClaimedThenDoneAndDoneIsFinal) {
    const auto granted = claim(R"({"owner":"worker-1","ttl_ms":60000})");
    EXPECT_THAT(granted, Is(201, R"({"lock":"runs/$/$"})", job, slot));
    EXPECT_THAT(
        run(), Is(200, R"({"state":"claimed","claim_is_live":true,"claim":{"owner":"worker-1"}})"));
    const auto claimed = grant_of(granted);

    const auto done = finish("done", claimed, R"({"result":"42 invoices"})");

    EXPECT_THAT(done, Is(200,
                         R"({"job":"$","slot":"$","state":"done","result":"42 invoices",)"
                         R"("fencing_token":$})",
                         job, slot, claimed.token));
    EXPECT_EQ(state_of(claimed.lock), "free");
    EXPECT_EQ(finish("done", claimed, R"({"result":"42 invoices"})").body, done.body);
    EXPECT_THAT(finish("done", claimed, R"({"result":"another"})"), Refused(409, "run_done"));
    EXPECT_THAT(finish("failed", claimed), Refused(412, "lease_released"));
    for (const auto* body : {"", R"({"wait_ms":1000})"})
        EXPECT_THAT(claim(body), Refused(409, "run_done"));
    EXPECT_THAT(run(), Is(200, R"({"state":"done","result":"42 invoices"})"));
}

TEST_F(Run, ThatFailedMayBeClaimedAgainAndByAClaimOnly) {
    const auto first = grant_of(claim());
    EXPECT_THAT(finish("failed", first, R"({"result":"no disk"})"),
                Is(200, R"({"state":"failed","result":"no disk"})"));
    const auto sneaked = grant("runs/" + job + "/" + slot);
    EXPECT_THAT(finish("done", sneaked),
                Refused(412, "fence_lock_mismatch", R"({"claim_token":$})", first.token));
    release(sneaked);

    const auto second = grant_of(claim());

    EXPECT_THAT(run(), Is(200, R"({"state":"claimed","attempts":2,"result":"<absent>"})"));
    EXPECT_THAT(finish("done", first), Refused(412, "lease_released"));
    EXPECT_THAT(finish("done", second), Is(200));
}

TEST_F(Run, WhoseWorkerCrashedIsTakenOverAndTheOldWorkerIsRefused) {
    const auto id = create_payment();
    const auto guarded = filled(R"("locks":["payments/$"]})", id);
    const auto crashed = grant_of(claim(R"({"ttl_ms":100,)" + guarded));
    await_end(crashed, "expired");
    EXPECT_THAT(run(), Is(200, R"({"claim_is_live":false})"));

    const auto successor = grant_of(claim(R"({"ttl_ms":60000,)" + guarded));

    EXPECT_GT(std::stoll(successor.token), std::stoll(crashed.token));
    EXPECT_THAT(finish("done", crashed), Refused(412, "fence_token_stale"));
    EXPECT_THAT(refund(id, crashed.token, 100), Refused(412, "fence_token_stale"));
    EXPECT_THAT(refund(id, successor.token, 100), Is(201));
    EXPECT_THAT(finish("done", successor), Is(200, R"({"attempts":2})"));
}

TEST_F(Run, IsFinishedByItsClaimOnly) {
    const auto claimed = grant_of(claim());
    auto mallory = as("mallory");
    const auto stolen = [&] {
        return mallory.request("POST", path + "/done", fence(claimed.token));
    };

    EXPECT_THAT(post(path + "/done"), Refused(428, "fence_token_required"));
    EXPECT_THAT(finish("done", grant(fresh("lock"))), Refused(412, "fence_lock_mismatch"));
    EXPECT_THAT(stolen(), Refused(403, "fence_not_holder"));
    ASSERT_THAT(finish("done", claimed), Is(200));
    EXPECT_THAT(stolen(), Refused(403, "fence_not_holder"));
}

TEST_F(Run, IsNotClaimedBeforeItIsDue) {
    const auto later = "/v1/runs/" + job + "/2999-01-01T00:00:00Z";

    EXPECT_THAT(
        post(later),
        Refused(409, "run_not_due", R"({"due_in_ms":"<1..>"})").with("Retry-After", "<any>"));
    EXPECT_THAT(get(later), Refused(404, "run_not_found"));
}

TEST_F(Run, FirstAskedForAfterItsGraceIsMissedForGood) {
    EXPECT_THAT(claim(R"({"start_within_ms":60000})"), Refused(409, "run_missed"));

    EXPECT_THAT(run(), Is(200, R"({"state":"missed","attempts":0,"fencing_token":"<absent>"})"));
    EXPECT_THAT(claim(), Refused(409, "run_missed"));
}

TEST_F(Run, IsInGraceHoweverLongThatIsAndOnceItWasClaimed) {
    const auto first = grant_of(claim(R"({"start_within_ms":9223372036854775807})"));
    ASSERT_THAT(finish("failed", first), Is(200));

    EXPECT_THAT(claim(R"({"start_within_ms":1})"), Is(201));
}

TEST_F(Run, HasOneSpellingOfItsSlotAndAStrictBody) {
    for (const auto* bad :
         {"2020-02-29T02:00:00", "2020-02-29T02:00:00.0Z", "2020-02-29T02:00:00+00:00",
          "2020-02-29t02:00:00z", "2021-02-29T02:00:00Z", "2020-02-29T24:00:00Z",
          "2020-02-29T02:00:60Z", "2020-2-29T02:00:00Z", "tonight"})
        EXPECT_THAT(post(filled("/v1/runs/$/$", job, bad)), Is(400)) << bad;
    EXPECT_THAT(claim(R"({"start_within_ms":-1})"), Refused(400, "invalid_argument"));
    EXPECT_THAT(claim(R"({"mode":"shared"})"), Refused(400, "invalid_json"));
    EXPECT_THAT(run(), Refused(404, "run_not_found"));
    EXPECT_THAT(post(path + "/done", {}, fence("1")), Refused(404, "run_not_found"));
}

TEST_F(Run, IsListedWithItsJobNewestFirst) {
    for (const auto* day : {"01", "03", "02"})
        ASSERT_THAT(post(filled("/v1/runs/$/2020-01-$T00:00:00Z", job, day)), Is(201));
    ASSERT_THAT(post("/v1/runs/" + fresh("other") + "/2020-01-04T00:00:00Z"), Is(201));

    const auto first = get("/v1/runs/" + job + "?limit=2");
    EXPECT_THAT(first, Is(200, R"({"data":[{"slot":"2020-01-03T00:00:00Z"},)"
                               R"({"slot":"2020-01-02T00:00:00Z"}],"has_more":true})"));
    EXPECT_THAT(get("/v1/runs/" + job + "?cursor=" + first.json_text("next_cursor")),
                Is(200, R"({"data":[{"slot":"2020-01-01T00:00:00Z"}],"has_more":false})"));
}

}  // namespace
}  // namespace fencegate::contract
