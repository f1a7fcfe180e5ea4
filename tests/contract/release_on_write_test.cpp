// X-Fence-Release: the last write under a lease ends it, in one exchange. One row of the contract
// after the other.
#include "tests/contract/watcher.hpp"

#include <sstream>

namespace fencegate::contract {
namespace {

using Names = std::vector<std::string>;

class ReleaseOnWrite : public GatewaySuite {
protected:
    static Headers releasing(std::string_view token, std::string key = fresh("key")) {
        return {{"Idempotency-Key", std::move(key)},
                {"X-Fence-Token", std::string(token)},
                {"X-Fence-Release", "1"}};
    }
    std::string state_of(const Grant& grant) { return lease(grant).json_text("state"); }
};

TEST_F(ReleaseOnWrite, ARefundEndsItsLeaseAndSaysSo) {
    const auto id = create_payment();
    const auto own = grant_payment(id);

    const auto refunded = move("refunds", id, releasing(own.token), R"({"amount":100})");

    ASSERT_EQ(refunded.status, 201) << refunded.body;
    EXPECT_EQ(refunded.header("X-Fence-Status"), "released");
    EXPECT_EQ(refunded.header_count("Idempotency-Replayed"), 0U);
    EXPECT_EQ(state_of(own), "released");
    EXPECT_EQ(lock(own.lock).json_text("state"), "free");
    expect_problem(refund(id, own.token, 100), 412, "lease_released");
}

struct WriteRow {
    const char* name;
    bool is_captured;
    const char* action;
    int status;
};

std::ostream& operator<<(std::ostream& out, const WriteRow& row) { return out << row.name; }

class ReleasingWrite : public ReleaseOnWrite, public ::testing::WithParamInterface<WriteRow> {};

TEST_P(ReleasingWrite, EndsTheLeaseOnceItSucceeds) {
    const auto id = create_payment(GetParam().is_captured);
    const auto own = grant_payment(id);

    const auto answer = move(GetParam().action, id, releasing(own.token));

    ASSERT_EQ(answer.status, GetParam().status) << answer.body;
    EXPECT_EQ(answer.header("X-Fence-Status"), "released");
    EXPECT_EQ(state_of(own), "released");
}

TEST_P(ReleasingWrite, KeepsTheLeaseWhenItIsRefused) {
    const auto id = create_payment(!GetParam().is_captured);
    const auto own = grant_payment(id);

    const auto refused = move(GetParam().action, id, releasing(own.token));

    EXPECT_EQ(refused.status, 422) << refused.body;
    EXPECT_EQ(refused.header_count("X-Fence-Status"), 0U);
    EXPECT_EQ(state_of(own), "live");
}

INSTANTIATE_TEST_SUITE_P(Contract, ReleasingWrite,
                         ::testing::Values(WriteRow{"Capture", false, "captures", 201},
                                           WriteRow{"Refund", true, "refunds", 201},
                                           WriteRow{"Cancel", false, "cancel", 200}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(ReleaseOnWrite, ACreateUnderATokenEndsItsLease) {
    const auto own = grant(fresh("orders/1"));

    const auto created = client.request("POST", "/v1/payments", releasing(own.token),
                                        R"({"amount":500,"currency":"EUR"})");

    ASSERT_EQ(created.status, 201) << created.body;
    EXPECT_EQ(created.header("X-Fence-Status"), "released");
    EXPECT_EQ(state_of(own), "released");
}

TEST_F(ReleaseOnWrite, ACreateWithoutATokenIsRefused) {
    const auto refused = client.request(
        "POST", "/v1/payments", {{"Idempotency-Key", fresh("key")}, {"X-Fence-Release", "1"}},
        R"({"amount":500,"currency":"EUR"})");

    expect_problem(refused, 400, "invalid_argument");
    EXPECT_TRUE(contains(refused.json_text("detail"), "X-Fence-Token"));
}

TEST_F(ReleaseOnWrite, AWriteThatNeedsATokenAsksForIt) {
    const auto id = create_payment();

    const auto refused =
        move("refunds", id, {{"Idempotency-Key", fresh("key")}, {"X-Fence-Release", "1"}});

    expect_problem(refused, 428, "fence_token_required");
}

struct ValueRow {
    const char* name;
    std::vector<std::string> values;
};

std::ostream& operator<<(std::ostream& out, const ValueRow& row) { return out << row.name; }

class ReleaseValue : public ReleaseOnWrite, public ::testing::WithParamInterface<ValueRow> {};

TEST_P(ReleaseValue, IsRefusedAndNothingIsDone) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    Headers headers{{"Idempotency-Key", fresh("key")}, {"X-Fence-Token", own.token}};
    for (const auto& value : GetParam().values) headers.emplace_back("X-Fence-Release", value);

    const auto refused = move("refunds", id, headers, R"({"amount":100})");

    expect_problem(refused, 400, "invalid_argument");
    EXPECT_TRUE(contains(refused.json_text("detail"), "X-Fence-Release"));
    EXPECT_EQ(state_of(own), "live");
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 0);
}

INSTANTIATE_TEST_SUITE_P(Contract, ReleaseValue,
                         ::testing::Values(ValueRow{"Empty", {""}}, ValueRow{"Zero", {"0"}},
                                           ValueRow{"Two", {"2"}}, ValueRow{"Padded", {"01"}},
                                           ValueRow{"True", {"true"}}, ValueRow{"Sf", {"?1"}},
                                           ValueRow{"Quoted", {"\"1\""}},
                                           ValueRow{"List", {"1, 1"}},
                                           ValueRow{"SentTwice", {"1", "1"}},
                                           ValueRow{"ThenNot", {"1", "0"}}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(ReleaseOnWrite, IsNeverTakenFromATrailer) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    client.send_raw("POST /v1/payments/" + id +
                    "/refunds HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + gateway().api_key() +
                    "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
                    "Idempotency-Key: " +
                    fresh("key") + "\r\nX-Fence-Token: " + own.token +
                    "\r\n\r\n2\r\n{}\r\n0\r\nX-Fence-Release: 1\r\n\r\n");

    expect_problem(client.read_response(), 400, "bad_request");

    client = gateway().client();
    EXPECT_EQ(state_of(own), "live");
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 0);
}

// Ignored, its sender would wait for the end of a lease that nobody ends.
TEST_F(ReleaseOnWrite, IsRefusedWhereNoFencedWriteIsMade) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    const std::pair<const char*, std::string> routes[] = {
        {"POST", "/v1/locks/" + fresh("lock")},
        {"POST", "/v1/leases/" + own.lease_id + "/renew"},
        {"DELETE", "/v1/leases/" + own.lease_id},
        {"GET", "/v1/leases/" + own.lease_id},
        {"GET", "/v1/payments/" + id},
        {"GET", "/v1/watch"},
        {"GET", "/v1/ledger/statement?account=customer_funds&currency=EUR"},
        {"POST", "/v1/elections/" + fresh("election")},
    };
    for (const auto& [method, target] : routes) {
        const auto refused = client.request(
            method, target, {{"X-Fence-Token", own.token}, {"X-Fence-Release", "1"}});

        EXPECT_EQ(refused.status, 400) << method << " " << target << refused.body;
        EXPECT_TRUE(contains(refused.body, "no fenced write")) << refused.body;
    }
    EXPECT_EQ(state_of(own), "live");
}

TEST_F(ReleaseOnWrite, AReplaySaysReleasedWithOrWithoutTheHeaderAndSparesTheNextLease) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    const auto key = fresh("key");
    const auto first = move("refunds", id, releasing(own.token, key), R"({"amount":100})");
    const auto next = grant_payment(id);

    for (const auto& headers : {releasing(own.token, key), releasing(next.token, key),
                                Headers{{"Idempotency-Key", key}, {"X-Fence-Token", own.token}},
                                Headers{{"Idempotency-Key", key}}}) {
        const auto again = move("refunds", id, headers, R"({"amount":100})");
        EXPECT_EQ(again.status, 201);
        EXPECT_EQ(again.body, first.body);
        EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
        EXPECT_EQ(again.header("X-Fence-Status"), "released");
    }

    EXPECT_EQ(state_of(next), "live");
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 100);
}

TEST_F(ReleaseOnWrite, AReplaySaysReleasedAfterACrash) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    const auto key = fresh("key");
    const auto first = move("refunds", id, releasing(own.token, key), R"({"amount":100})");
    ASSERT_EQ(first.status, 201) << first.body;

    client.close();
    gateway().kill9();
    gateway().restart();
    client = gateway().client();

    const auto again = move("refunds", id, releasing(own.token, key), R"({"amount":100})");
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.header("X-Fence-Status"), "released");
    EXPECT_EQ(state_of(own), "released");
}

TEST_F(ReleaseOnWrite, AReplayOfAWriteThatKeptItsLeaseSaysThatItIsLive) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    const auto key = fresh("key");
    move("refunds", id, {{"Idempotency-Key", key}, {"X-Fence-Token", own.token}},
         R"({"amount":100})");

    const auto again = move("refunds", id, releasing(own.token, key), R"({"amount":100})");

    EXPECT_EQ(again.header("X-Fence-Status"), "live") << "a replay has no effect";
    EXPECT_EQ(state_of(own), "live");
}

TEST_F(ReleaseOnWrite, TheNextInLineIsGranted) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    auto next = stand_in_line(own.lock, 1);

    move("refunds", id, releasing(own.token), R"({"amount":100})");

    const auto granted = next.read_response();
    ASSERT_EQ(granted.status, 201) << granted.body;
    EXPECT_GT(std::stoll(granted.header("X-Fence-Token")), std::stoll(own.token));
}

TEST_F(ReleaseOnWrite, IsKnownToWatchersHistoryAndMetrics) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    Watcher watcher(gateway(), "?lock=" + own.lock);
    const std::string series = R"(fencegate_lease_released_total{class="payments"})";
    const auto before = std::stoll(metric(gateway(), series));

    move("refunds", id, releasing(own.token), R"({"amount":100})");

    EXPECT_EQ(watcher.names(1), (Names{"released"}));
    const auto history = get("/v1/history?lock=" + own.lock);
    EXPECT_EQ(history.json_text("/data/0/state"), "released");
    EXPECT_EQ(std::stoll(metric(gateway(), series)), before + 1);
}

TEST_F(ReleaseOnWrite, TheAccessLogTellsIt) {
    const auto id = create_payment();
    const auto own = grant_payment(id);

    const auto refunded = move("refunds", id, releasing(own.token), R"({"amount":100})");

    const auto mark = R"("request_id":")" + refunded.header("X-Request-Id") + "\"";
    EXPECT_TRUE(eventually("the line of the refund", [&] {
        std::istringstream output(gateway().output());
        for (std::string text; std::getline(output, text);) {
            if (contains(text, mark)) return contains(text, R"("fence_status":"released")");
        }
        return false;
    }));
}

TEST_F(ReleaseOnWrite, AProclamationMayBeTheLast) {
    const auto target = "/v1/elections/" + fresh("election");
    const auto own = grant_of(client.request("POST", target, {}, R"({"owner":"a"})"));

    const auto said =
        client.request("PUT", target, {{"X-Fence-Token", own.token}, {"X-Fence-Release", "1"}},
                       R"({"value":{"next":"b"}})");

    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(said.header("X-Fence-Status"), "released");
    EXPECT_EQ(get(target).json_text("state"), "vacant");
}

// They end their lease anyway; the header is welcome and changes nothing.
TEST_F(ReleaseOnWrite, ResignDoneAndFailedSayReleased) {
    const auto election = "/v1/elections/" + fresh("election");
    const auto leader = grant_of(client.request("POST", election, {}, R"({"owner":"a"})"));
    const Headers resign{{"X-Fence-Token", leader.token}, {"X-Fence-Release", "1"}};

    EXPECT_EQ(client.request("DELETE", election, resign).header("X-Fence-Status"), "released");
    for (const char* outcome : {"done", "failed"}) {
        const auto run = "/v1/runs/" + fresh("job") + "/2026-01-01T00:00:00Z";
        const auto claim = grant_of(client.request("POST", run, {}, R"({"owner":"a"})"));
        const auto ended =
            client.request("POST", run + "/" + outcome,
                           {{"X-Fence-Token", claim.token}, {"X-Fence-Release", "1"}}, "{}");
        EXPECT_EQ(ended.status, 200) << ended.body;
        EXPECT_EQ(ended.header("X-Fence-Status"), "released");
    }
}

class ReleaseOnLateWrite : public ReleaseOnWrite {
protected:
    static void SetUpTestSuite() { start("[class.payments]\nlate_writes = \"accept\"\n"); }
};

TEST_F(ReleaseOnLateWrite, HasNothingLeftToEnd) {
    const auto id = create_payment();
    const auto own = grant("payments/" + id, 100);
    await_end(own, "expired");
    const auto headers = releasing(own.token);

    for (int times = 0; times < 2; ++times) {
        const auto late = move("refunds", id, headers, R"({"amount":100})");
        EXPECT_EQ(late.status, 201) << late.body;
        EXPECT_EQ(late.header("X-Fence-Status"), "stale");
    }
    EXPECT_EQ(state_of(own), "expired");
}

}  // namespace
}  // namespace fencegate::contract
