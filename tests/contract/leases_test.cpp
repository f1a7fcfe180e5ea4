// A lease while it lives: renewed, inspected, released, broken.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Leases : public GatewaySuite {
protected:
    Response break_seen(const Grant& seen, std::string_view body = R"({"reason":"stuck"})") {
        return remove("/v1/locks/" + seen.lock, {{"If-Fence-Token", seen.token}}, body);
    }
};

TEST_F(Leases, ARenewalKeepsTheTokenAndTheIdAndMayChangeTheTtl) {
    const auto own = grant(fresh("lock"), 10'000);

    for (const auto& [body, ttl_ms] : {std::pair("", 10'000), {R"({"ttl_ms":45000})", 45'000}})
        EXPECT_THAT(renew(own, body),
                    Is(200, R"({"lease_id":"$","fencing_token":$,"ttl_ms":$,"remaining_ms":$})",
                       own.lease_id, own.token, ttl_ms, ttl_ms)
                        .with("X-Fence-Token", own.token));
    EXPECT_EQ(lease(own).json_int("ttl_ms"), 45'000);
}

TEST_F(Leases, ARenewalOutOfRangeChangesNothing) {
    const auto own = grant(fresh("lock"), 10'000);

    for (const auto* body : {R"({"ttl_ms":99})", R"({"ttl_ms":3600001})", R"({"ttl_ms":-1})"})
        EXPECT_THAT(renew(own, body), Refused(400, "invalid_argument")) << body;
    EXPECT_THAT(renew(own, R"({"ttl":1000})"), Refused(400, "invalid_json"));

    EXPECT_EQ(lease(own).json_int("ttl_ms"), 10'000);
}

TEST_F(Leases, AReleaseIsAnsweredWithoutABody) {
    const auto own = grant(fresh("lock"));

    const auto released = remove("/v1/leases/" + own.lease_id);

    EXPECT_THAT(released, Is(204).with("Content-Length", "<absent>"));
    EXPECT_EQ(released.body, "");
    EXPECT_EQ(state_of(own.lock), "free");
}

TEST_F(Leases, AndTheirLocksCanBeInspected) {
    const auto name = fresh("lock");
    EXPECT_THAT(lock(name), Is(200, R"({"state":"free","holder":"<absent>"})"));
    const auto own = grant(name, 10'000);

    EXPECT_THAT(lease(own), Is(200,
                               R"({"lease_id":"$","lock":"$","fencing_token":$,"state":"live",)"
                               R"("remaining_ms":"<1..10000>","ended_at":"<absent>"})",
                               own.lease_id, name, own.token));
    EXPECT_THAT(lock(name), Is(200,
                               R"({"lock":"$","state":"held","waiters":0,"holder":{)"
                               R"("lease_id":"$","fencing_token":$,"remaining_ms":"<..10000>",)"
                               R"("principal":"<text>"}})",
                               name, own.lease_id, own.token));
}

TEST_F(Leases, ABreakEndsExactlyTheLeaseThatWasSeen) {
    const auto own = grant(fresh("lock"));

    EXPECT_THAT(break_seen(own), Is(200, R"({"state":"broken","lease_id":"$"})", own.lease_id));

    EXPECT_THAT(break_seen(own), Refused(404, "lock_not_held"));
    const auto next = grant(own.lock);
    EXPECT_THAT(break_seen(own), Refused(412, "fence_token_stale"));
    EXPECT_EQ(state_of(next), "live");
}

TEST_F(Leases, ABreakNeedsAReason) {
    const auto own = grant(fresh("lock"));

    for (const auto* body : {"", R"({"reason":""})"})
        EXPECT_THAT(break_seen(own, body), Refused(400, "invalid_argument")) << body;

    EXPECT_EQ(state_of(own), "live");
}

}  // namespace
}  // namespace fencegate::contract
