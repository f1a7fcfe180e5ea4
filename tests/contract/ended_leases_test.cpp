// The four ways a lease ends, and what its holder is told afterwards: 412 for a write, 410 for a
// renewal or release, always the same code for the same end.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class EndedLeases : public GatewaySuite {
protected:
    struct End {
        std::string_view ended;
        std::string_view code;
    };
    static constexpr End kEnds[] = {{"expired", "lease_expired"},
                                    {"superseded", "fence_token_stale"},
                                    {"released", "lease_released"},
                                    {"broken", "lease_broken"}};

    // A lease on the lock that has ended this way.
    Grant ended(std::string_view lock, std::string_view how) {
        const bool runs_out = how == "expired" || how == "superseded";
        auto old = grant(lock, runs_out ? 100 : 60'000);
        if (how == "released") release(old);
        if (how == "broken") break_lock(old);
        if (runs_out) await_end(old, "expired");
        if (how == "superseded") grant(lock);
        return old;
    }
};

TEST_F(EndedLeases, CannotWrite) {
    for (const auto& [how, code] : kEnds) {
        SCOPED_TRACE(how);
        const auto id = create_payment();
        const auto old = ended("payments/" + id, how);

        EXPECT_THAT(refund(id, old.token, 100),
                    Refused(412, code,
                            R"({"lock":"$","presented_token":$,"ended":"$","remedy":"<text>",)"
                            R"("ended_ms_ago":"<0..60000>","current_token":"$"})",
                            old.lock, old.token, how, how == "superseded" ? "<1..>" : "<absent>"));
        EXPECT_EQ(refunded(id), 0);
    }
}

TEST_F(EndedLeases, CannotBeRenewedOrReleased) {
    for (const auto& [how, code] : kEnds) {
        SCOPED_TRACE(how);
        const auto old = ended(fresh("lock"), how);

        EXPECT_THAT(renew(old), Refused(410, code));
        const auto release = remove("/v1/leases/" + old.lease_id);
        if (how == "released") {
            EXPECT_THAT(release, Is(204).with("Idempotency-Replayed", "true"))
                << "it has been let go, which is all that is asked for";
        } else {
            EXPECT_THAT(release, Refused(410, code));
            EXPECT_FALSE(contains(release.json_text("remedy"), "cquire"));
        }
        EXPECT_THAT(lease(old),
                    Is(200, R"({"state":"$","remaining_ms":0,"ended_at":"<any>"})", how));
    }
}

TEST_F(EndedLeases, AreToldTheTokenOfTheirSuccessor) {
    const auto id = create_payment();
    const auto old = ended("payments/" + id, "released");
    const auto next = grant_payment(id);

    EXPECT_THAT(refund(id, old.token, 100),
                Refused(412, "lease_released", R"({"current_token":$})", next.token));
    release(next);
    EXPECT_THAT(refund(id, old.token, 100), Refused(412, "lease_released"))
        << "nor does a lock that is free again revive it";
}

// A lease id holds its token; the rest of the id must match as well, or guessing would be easy.
TEST_F(EndedLeases, OfUnknownOrForgedIdsAreNotFound) {
    const auto own = grant(fresh("lock"));
    const auto forged = [&](std::size_t at) {
        auto other = own.lease_id;
        other[at] = other[at] == '0' ? '1' : '0';
        return other;
    };
    for (const auto& lease_id :
         Texts{"01890a5d-ac96-774b-bcce-b302099a8057", "nonsense",
               "01890A5D-AC96-774B-BCCE-B302099A8057", forged(7), forged(17)}) {
        const auto target = "/v1/leases/" + lease_id;

        EXPECT_THAT(get(target), Refused(404, "lease_not_found"));
        EXPECT_THAT(post(target + "/renew"), Refused(404, "lease_not_found"));
        EXPECT_THAT(remove(target), Refused(404, "lease_not_found"));
    }
    EXPECT_EQ(state_of(own), "live");
}

class LateWrites : public GatewaySuite {
protected:
    static void SetUpTestSuite() { start("[class.payments]\nlate_writes = \"accept\"\n"); }
};

TEST_F(LateWrites, AreAcceptedWhereTheClassSaysSoUntilAnotherIsGranted) {
    const auto id = create_payment();
    const auto old = grant("payments/" + id, 100);
    await_end(old, "expired");

    auto last_write = fenced(old.token);
    last_write.emplace_back("X-Fence-Release", "1");
    EXPECT_THAT(move("refunds", id, last_write, R"({"amount":100})"),
                Is(201).with("X-Fence-Status", "stale"))
        << "there is nothing left to release";
    EXPECT_EQ(state_of(old), "expired");

    const auto next = grant_payment(id);
    EXPECT_THAT(refund(id, old.token, 100), Refused(412, "fence_token_stale"));
    EXPECT_THAT(refund(id, next.token, 100), Is(201));
    EXPECT_EQ(refunded(id), 200);
    EXPECT_TRUE(contains(gateway().admin_client().request("GET", "/metrics").body,
                         "\nfencegate_fence_checks_total{class=\"payments\",result=\"late\"} 1\n"));
}

}  // namespace
}  // namespace fencegate::contract
