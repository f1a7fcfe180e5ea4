// X-Fence-Release: the last write under a lease ends it, in one exchange. One row of the contract
// after the other.
#include "tests/contract/watcher.hpp"

namespace fencegate::contract {
namespace {

constexpr std::string_view kHundred = R"({"amount":100})";

Headers releasing(Headers headers) {
    headers.emplace_back("X-Fence-Release", "1");
    return headers;
}

class ReleaseOnWrite : public PaymentSuite {
protected:
    Response last_refund() { return move("refunds", id, releasing(fenced(own.token)), kHundred); }
};

TEST_F(ReleaseOnWrite, ARefundEndsItsLeaseAndSaysSo) {
    auto next = stand_in_line(own.lock, 1);

    EXPECT_THAT(
        last_refund(),
        Is(201).with("X-Fence-Status", "released").with("Idempotency-Replayed", "<absent>"));

    EXPECT_EQ(state_of(own), "released");
    EXPECT_GT(std::stoll(grant_of(next.read_response()).token), std::stoll(own.token));
    EXPECT_THAT(refund(id, own.token, 100), Refused(412, "lease_released"));
}

class ReleasingWrite : public GatewaySuite {
protected:
    struct Write {
        bool is_captured;
        const char* action;
        int status;
    };
    static constexpr Write kWrites[] = {
        {false, "captures", 201}, {true, "refunds", 201}, {false, "cancel", 200}};
};

TEST_F(ReleasingWrite, EndsTheLeaseOnceItSucceeds) {
    for (const auto& [is_captured, action, status] : kWrites) {
        const auto id = create_payment(is_captured);
        const auto own = grant_payment(id);

        EXPECT_THAT(move(action, id, releasing(fenced(own.token))),
                    Is(status).with("X-Fence-Status", "released"))
            << action;
        EXPECT_EQ(state_of(own), "released");
    }
    const auto own = grant(fresh("orders/1"));
    EXPECT_THAT(
        post("/v1/payments", R"({"amount":500,"currency":"EUR"})", releasing(fenced(own.token))),
        Is(201).with("X-Fence-Status", "released"));
    EXPECT_EQ(state_of(own), "released");
}

TEST_F(ReleasingWrite, KeepsTheLeaseWhenItIsRefused) {
    for (const auto& [is_captured, action, status] : kWrites) {
        const auto id = create_payment(!is_captured);
        const auto own = grant_payment(id);

        EXPECT_THAT(move(action, id, releasing(fenced(own.token))),
                    Is(422).with("X-Fence-Status", "<absent>"))
            << action;
        EXPECT_EQ(state_of(own), "live");
    }
}

TEST_F(ReleaseOnWrite, WithoutATokenIsRefused) {
    const Headers keyed{{"Idempotency-Key", fresh("key")}};

    EXPECT_THAT(post("/v1/payments", R"({"amount":500,"currency":"EUR"})", releasing(keyed)),
                Refused(400, "invalid_argument", R"({"detail":"<...X-Fence-Token...>"})"));
    EXPECT_THAT(move("refunds", id, releasing(keyed)), Refused(428, "fence_token_required"));
}

TEST_F(ReleaseOnWrite, WithAnyValueButOneIsRefusedAndNothingIsDone) {
    for (const auto& values : std::vector<std::vector<const char*>>{{""},
                                                                    {"0"},
                                                                    {"2"},
                                                                    {"01"},
                                                                    {"true"},
                                                                    {"?1"},
                                                                    {"\"1\""},
                                                                    {"1, 1"},
                                                                    {"1", "1"},
                                                                    {"1", "0"}}) {
        SCOPED_TRACE(::testing::PrintToString(values));
        auto headers = fenced(own.token);
        for (const auto* value : values) headers.emplace_back("X-Fence-Release", value);

        EXPECT_THAT(move("refunds", id, headers, kHundred),
                    Refused(400, "invalid_argument", R"({"detail":"<...X-Fence-Release...>"})"));
    }
    EXPECT_EQ(state_of(own), "live");
    EXPECT_EQ(refunded(id), 0);
}

// Ignored, its sender would wait for the end of a lease that nobody ends.
TEST_F(ReleaseOnWrite, IsRefusedWhereNoFencedWriteIsMade) {
    const auto lease = "/v1/leases/" + own.lease_id;
    for (const auto& [method, target] :
         {std::pair<const char*, std::string>("POST", "/v1/locks/" + fresh("lock")),
          {"POST", lease + "/renew"},
          {"DELETE", lease},
          {"GET", lease},
          {"GET", "/v1/payments/" + id},
          {"GET", "/v1/watch"},
          {"GET", "/v1/ledger/statement?account=customer_funds&currency=EUR"},
          {"POST", "/v1/elections/" + fresh("election")}})
        EXPECT_THAT(client.request(method, target, releasing(fence(own.token))),
                    Is(400, R"({"detail":"<...no fenced write...>"})"))
            << method << " " << target;
    EXPECT_EQ(state_of(own), "live");
}

TEST_F(ReleaseOnWrite, AReplaySaysReleasedWithOrWithoutTheHeaderAndSparesTheNextLease) {
    const auto key = fresh("key");
    const auto first = move("refunds", id, releasing(fenced(own.token, key)), kHundred);
    const auto next = grant_payment(id);

    for (const auto& headers :
         {releasing(fenced(own.token, key)), releasing(fenced(next.token, key)),
          fenced(own.token, key), Headers{{"Idempotency-Key", key}}}) {
        const auto again = move("refunds", id, headers, kHundred);
        EXPECT_THAT(
            again, Is(201).with("Idempotency-Replayed", "true").with("X-Fence-Status", "released"));
        EXPECT_EQ(again.body, first.body);
    }

    EXPECT_EQ(state_of(next), "live");
    EXPECT_EQ(refunded(id), 100);
}

TEST_F(ReleaseOnWrite, IsKnownToWatchersHistoryMetricsAndTheAccessLog) {
    Watcher watcher(gateway(), "?lock=" + own.lock);
    const std::string series = R"(fencegate_lease_released_total{class="payments"})";
    const auto before = std::stoll(metric(gateway(), series));

    const auto answer = last_refund();

    EXPECT_THAT(watcher.next(), IsEvent("released"));
    EXPECT_THAT(get("/v1/history?lock=" + own.lock), Is(200, R"({"data":[{"state":"released"}]})"));
    EXPECT_EQ(std::stoll(metric(gateway(), series)), before + 1);
    EXPECT_THAT(logged(answer), Says(R"({"fence_status":"released"})"));
}

TEST_F(ReleaseOnWrite, AProclamationMayBeTheLast) {
    const auto target = "/v1/elections/" + fresh("election");
    const auto leader = grant_of(post(target, R"({"owner":"a"})"));

    EXPECT_THAT(put(target, R"({"value":{"next":"b"}})", releasing(fence(leader.token))),
                Is(200).with("X-Fence-Status", "released"));
    EXPECT_THAT(get(target), Is(200, R"({"state":"vacant"})"));
}

// They end their lease anyway; the header is welcome and changes nothing.
TEST_F(ReleaseOnWrite, ResignDoneAndFailedSayReleased) {
    const auto election = "/v1/elections/" + fresh("election");
    const auto leader = grant_of(post(election, R"({"owner":"a"})"));

    EXPECT_THAT(remove(election, releasing(fence(leader.token))),
                Is(204).with("X-Fence-Status", "released"));
    for (const char* outcome : {"done", "failed"}) {
        const auto run = "/v1/runs/" + fresh("job") + "/2026-01-01T00:00:00Z";
        const auto claim = grant_of(post(run, R"({"owner":"a"})"));
        EXPECT_THAT(post(filled("$/$", run, outcome), "{}", releasing(fence(claim.token))),
                    Is(200).with("X-Fence-Status", "released"))
            << outcome;
    }
}

}  // namespace
}  // namespace fencegate::contract
