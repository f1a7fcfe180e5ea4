// The four ways a lease ends, and what its holder is told afterwards: 412 for a write, 410 for a
// renewal or release, always the same code for the same end.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

struct EndRow {
    const char* name;
    const char* code;
    const char* ended;
};

std::ostream& operator<<(std::ostream& out, const EndRow& row) { return out << row.name; }

class EndedLease : public GatewaySuite, public ::testing::WithParamInterface<EndRow> {
protected:
    // A lease on the payment's lock that has ended this way.
    Grant ended() {
        const std::string_view how = GetParam().ended;
        const auto lock = "payments/" + id;
        const bool runs_out = how == "expired" || how == "superseded";
        auto old = grant(lock, runs_out ? 100 : 60'000);
        if (how == "released") release(old);
        if (how == "broken") break_lock(old);
        if (how == "expired") await_end(old, "expired");
        if (how == "superseded") {
            successor = acquire(lock, R"({"wait_ms":10000,"ttl_ms":60000})");
            EXPECT_EQ(successor.status, 201);
        }
        return old;
    }

    const std::string id = create_payment();
    Response successor;
};

TEST_P(EndedLease, CannotWrite) {
    const auto old = ended();

    const auto refused = refund(id, old.token, 100);

    expect_problem(refused, 412, GetParam().code);
    EXPECT_EQ(refused.json_text("lock"), old.lock);
    EXPECT_EQ(std::to_string(refused.json_int("presented_token")), old.token);
    EXPECT_EQ(refused.json_text("ended"), GetParam().ended);
    EXPECT_GE(refused.json_int("ended_ms_ago"), 0);
    EXPECT_LT(refused.json_int("ended_ms_ago"), 60'000);
    EXPECT_FALSE(refused.json_text("remedy").empty());
    EXPECT_EQ(refused.has("current_token"), successor.status == 201);
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 0);
}

TEST_P(EndedLease, CannotBeRenewedOrReleased) {
    const auto old = ended();
    const auto target = "/v1/leases/" + old.lease_id;

    expect_problem(client.request("POST", target + "/renew"), 410, GetParam().code);
    const auto release = client.request("DELETE", target);
    if (GetParam().ended == std::string_view("released")) {
        EXPECT_EQ(release.status, 204) << "it has been let go, which is all that is asked for";
        EXPECT_EQ(release.header("Idempotency-Replayed"), "true");
    } else {
        expect_problem(release, 410, GetParam().code);
        EXPECT_FALSE(contains(release.json_text("remedy"), "cquire"));
    }
    const auto lease = client.request("GET", target);
    EXPECT_EQ(lease.json_text("state"), GetParam().ended);
    EXPECT_EQ(lease.json_int("remaining_ms"), 0);
    EXPECT_TRUE(lease.has("ended_at"));
}

INSTANTIATE_TEST_SUITE_P(Contract, EndedLease,
                         ::testing::Values(EndRow{"Expired", "lease_expired", "expired"},
                                           EndRow{"Superseded", "fence_token_stale", "superseded"},
                                           EndRow{"Released", "lease_released", "released"},
                                           EndRow{"Broken", "lease_broken", "broken"}),
                         [](const auto& row) { return std::string(row.param.name); });

class EndedLeases : public GatewaySuite {};

TEST_F(EndedLeases, AreToldTheTokenOfTheirSuccessor) {
    const auto id = create_payment();
    const auto old = grant_payment(id);
    release(old);
    const auto next = grant_payment(id);

    const auto refused = refund(id, old.token, 100);

    expect_problem(refused, 412, "lease_released");
    EXPECT_EQ(std::to_string(refused.json_int("current_token")), next.token);
    EXPECT_EQ(refund(id, next.token, 100).status, 201);
}

TEST_F(EndedLeases, StayEndedWhenTheLockIsFreeAgain) {
    const auto id = create_payment();
    const auto old = grant_payment(id);
    release(old);
    release(grant_payment(id));

    expect_problem(refund(id, old.token, 100), 412, "lease_released");
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 0);
}

TEST_F(EndedLeases, OfUnknownIdsAreNotFound) {
    for (const auto* lease_id : {"01890a5d-ac96-774b-bcce-b302099a8057", "nonsense",
                                 "01890A5D-AC96-774B-BCCE-B302099A8057"}) {
        const auto target = std::string("/v1/leases/") + lease_id;

        expect_problem(client.request("GET", target), 404, "lease_not_found");
        expect_problem(client.request("POST", target + "/renew"), 404, "lease_not_found");
        expect_problem(client.request("DELETE", target), 404, "lease_not_found");
    }
}

// A lease id holds its token; the rest of the id must match as well, or guessing would be easy.
TEST_F(EndedLeases, AreNotFoundUnderAnIdThatOnlyHoldsTheirToken) {
    const auto own = grant(fresh("lock"));
    for (const std::size_t at : {7U, 17U}) {  // a digit of the time, a random one
        auto forged = own.lease_id;
        forged[at] = forged[at] == '0' ? '1' : '0';

        expect_problem(client.request("DELETE", "/v1/leases/" + forged), 404, "lease_not_found");
    }
    EXPECT_EQ(lock(own.lock).json_text("state"), "held");
}

class LateWrites : public GatewaySuite {
protected:
    static void SetUpTestSuite() { start("[class.payments]\nlate_writes = \"accept\"\n"); }
};

TEST_F(LateWrites, AreAcceptedWhereTheClassSaysSoUntilAnotherIsGranted) {
    const auto id = create_payment();
    const auto old = grant("payments/" + id, 100);
    await_end(old, "expired");

    EXPECT_EQ(refund(id, old.token, 100).status, 201);

    const auto next = grant_payment(id);
    expect_problem(refund(id, old.token, 100), 412, "fence_token_stale");
    EXPECT_EQ(refund(id, next.token, 100).status, 201);
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 200);
    EXPECT_TRUE(contains(gateway().admin_client().request("GET", "/metrics").body,
                         "\nfencegate_fence_checks_total{class=\"payments\",result=\"late\"} 1\n"));
}

}  // namespace
}  // namespace fencegate::contract
