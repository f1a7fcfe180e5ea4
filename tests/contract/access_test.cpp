// Who may do what: credentials, scopes, routes and methods, and keys that come and go by reload.
#include "tests/contract/gateway_suite.hpp"

#include <csignal>

namespace fencegate::contract {
namespace {

class Access : public GatewaySuite {};

struct RouteRow {
    const char* method;
    const char* target;
    const char* scope;
};

constexpr RouteRow kRoutes[] = {
    {"POST", "/v1/locks/a", "locks:write"},
    {"GET", "/v1/locks/a", "locks:read"},
    {"DELETE", "/v1/locks/a", "admin"},
    {"POST", "/v1/leases/01890a5d-ac96-774b-bcce-b302099a8057/renew", "locks:write"},
    {"GET", "/v1/leases/01890a5d-ac96-774b-bcce-b302099a8057", "locks:read"},
    {"DELETE", "/v1/leases/01890a5d-ac96-774b-bcce-b302099a8057", "locks:write"},
    {"POST", "/v1/leases", "locks:write"},
    {"GET", "/v1/locks", "locks:read"},
    {"GET", "/v1/locks/deadlocks", "locks:read"},
    {"GET", "/v1/history?lock=a", "locks:read"},
    {"GET", "/v1/fence/verify?lock=a&token=1", "locks:read"},
    {"GET", "/v1/classes/payments/advice", "locks:read"},
    {"POST", "/v1/elections/e", "locks:write"},
    {"PUT", "/v1/elections/e", "locks:write"},
    {"DELETE", "/v1/elections/e", "locks:write"},
    {"GET", "/v1/elections/e", "locks:read"},
    {"POST", "/v1/runs/j/2020-01-01T00:00:00Z", "locks:write"},
    {"POST", "/v1/runs/j/2020-01-01T00:00:00Z/done", "locks:write"},
    {"POST", "/v1/runs/j/2020-01-01T00:00:00Z/failed", "locks:write"},
    {"GET", "/v1/runs/j/2020-01-01T00:00:00Z", "locks:read"},
    {"GET", "/v1/runs/j", "locks:read"},
    {"POST", "/v1/payments", "payments:write"},
    {"POST", "/v1/payments/p/captures", "payments:write"},
    {"POST", "/v1/payments/p/refunds", "payments:write"},
    {"POST", "/v1/payments/p/cancel", "payments:write"},
    {"GET", "/v1/payments", "payments:read"},
    {"GET", "/v1/payments/p", "payments:read"},
    {"GET", "/v1/payments/p/refunds", "payments:read"},
    {"GET", "/v1/ledger/accounts", "payments:read"},
    {"GET", "/v1/ledger/entries", "payments:read"},
    {"GET", "/v1/ledger/statement?account=funds_held&currency=EUR", "payments:read"},
    {"GET", "/v1/events", "payments:read"},
    {"PUT", "/v1/events/consumers/c", "payments:write"},
    {"DELETE", "/v1/events/consumers/c", "payments:write"},
    {"GET", "/v1/events/consumers/c", "payments:read"},
};

// What exists and what does not alike, so that nobody learns which is which.
TEST_F(Access, NobodyGetsAnythingWithoutCredentials) {
    auto nobody = gateway().client("");
    const auto is_refused =
        Refused(401, "unauthenticated").with("WWW-Authenticate", "<...Bearer...>");
    for (const auto& route : kRoutes)
        EXPECT_THAT(nobody.request(route.method, route.target), is_refused) << route.target;
    for (const auto* target : {"/v1/nothing", "/", "/v1/locks/a%2Fb"})
        EXPECT_THAT(nobody.request("GET", target), is_refused) << target;
    EXPECT_THAT(nobody.request("PATCH", "/v1/payments"), is_refused);
    EXPECT_EQ(state_of("a"), "free");
}

TEST_F(Access, TellsNoKeyFromAKeyThatIsNotKnown) {
    auto nobody = gateway().client("");
    for (const auto& [headers, detail] :
         {std::pair<Headers, const char*>({}, "carries no API key"),
          {{{"Authorization", "Basic YTpi"}}, "not of the form"},
          {{{"Authorization", "Bearer fg_unknown"}}, "does not know"}}) {
        const auto refused = nobody.request("GET", "/v1/locks/a", headers);
        EXPECT_THAT(refused, Refused(401, "unauthenticated", R"({"detail":"<...$...>"})", detail));
        EXPECT_EQ(contains(refused.json_text("detail"), "Send"), headers.empty()) << detail;
    }
}

TEST_F(Access, OnlyAGoodKeyInBearerFormIsAccepted) {
    const auto key = gateway().api_key();
    auto other = gateway().client("");
    const auto with = [&](const Headers& headers) {
        return other.request("GET", "/v1/locks/a", headers);
    };
    auto flipped = key;
    flipped.back() = flipped.back() == 'A' ? 'B' : 'A';
    for (const auto& value :
         {"Bearer " + flipped, "Bearer " + key.substr(0, key.size() - 1), "Bearer " + key + "A",
          "Basic " + key, key, std::string("Bearer"), std::string("Bearer "), "Bearer\t" + key,
          "Bearer " + key + " " + key})
        EXPECT_THAT(with({{"Authorization", value}}), Refused(401, "unauthenticated")) << value;
    EXPECT_THAT(with({{"Authorization", "bearer " + key}}), Is(200));
    EXPECT_THAT(with({{"Authorization", "Bearer " + key}, {"Authorization", "Bearer " + key}}),
                Refused(400, "bad_request"));
}

TEST_F(Access, AKeyOpensExactlyTheRoutesOfItsScope) {
    for (const std::string scope : {"locks:read", "locks:write", "payments:read", "payments:write",
                                    "admin", "metrics:read"}) {
        auto scoped = as("p-" + scope.substr(0, 3), {scope});
        for (const auto& route : kRoutes) {
            SCOPED_TRACE(scope + " " + route.method + " " + route.target);
            const auto answer = scoped.request(route.method, route.target);

            if (scope == route.scope) {
                EXPECT_NE(answer.status, 403);
            } else {
                EXPECT_THAT(answer,
                            Refused(403, "forbidden", R"({"detail":"<...$...>"})", route.scope));
            }
        }
        // Opened, it would stream.
        if (scope == "locks:read") continue;
        EXPECT_THAT(scoped.request("GET", "/v1/watch"), Refused(403, "forbidden")) << scope;
    }
}

TEST_F(Access, UnknownPathsAreNotFoundAndWhatIsNoPathIsRefused) {
    for (const auto* target : {"/", "/v1", "/v1/nothing", "/v2/locks/a", "/v1/payments/p/x",
                               "/v1/payments/p/refunds/r", "/metrics", "/healthz"})
        EXPECT_THAT(get(target), Refused(404, "not_found")) << target;
    EXPECT_THAT(post("/v1/leases/01890a5d-ac96-774b-bcce-b302099a8057/Renew"),
                Refused(404, "not_found"));
    for (const auto* target : {"/v1/payments/", "/v1//payments", "/v1/payments/../locks/a",
                               "/v1/payments/a%2Fb", "/v1/payments/a?x=%zz", "/v1/payments/a?&"})
        EXPECT_THAT(get(target), Refused(400, "bad_request")) << target;
}

TEST_F(Access, AWrongMethodIsRefusedWithWhatThePathTakes) {
    for (const auto& [method, target, allow] : {std::tuple("PUT", "/v1/payments", "POST, GET"),
                                                {"DELETE", "/v1/payments/p", "GET"},
                                                {"PATCH", "/v1/payments/p/refunds", "POST, GET"},
                                                {"GET", "/v1/leases/x/renew", "POST"},
                                                {"POST", "/v1/leases/x", "GET, DELETE"},
                                                {"PUT", "/v1/locks/a/b", "POST, GET, DELETE"},
                                                {"OPTIONS", "/v1/locks/a", "POST, GET, DELETE"},
                                                {"PUT", "/v1/locks/deadlocks", "POST, GET, DELETE"},
                                                {"POST", "/v1/classes/payments/advice", "GET"}})
        EXPECT_THAT(client.request(method, target),
                    Refused(405, "method_not_allowed").with("Allow", allow))
            << method << " " << target;
}

TEST_F(Access, ARevokedKeyStopsWorkingAfterAReload) {
    const auto key = gateway().add_key("leaver", {"locks:read"});
    auto leaver = gateway().client(key);
    ASSERT_THAT(leaver.request("GET", "/v1/locks/a"), Is(200));
    const auto listed =
        gateway().run_cli({"key", "list", "--data-dir", gateway().data_dir().string()}).out;
    const auto line_end = listed.find("leaver");
    ASSERT_NE(line_end, std::string::npos) << listed;
    const auto line = listed.substr(listed.rfind('\n', line_end) + 1);

    const auto revoked = gateway().run_cli({"key", "revoke", line.substr(0, line.find(' ')),
                                            "--data-dir", gateway().data_dir().string()});
    ASSERT_EQ(revoked.exit_code, 0) << revoked.err;
    gateway().signal(SIGHUP);

    // On a connection that is open already, too: credentials are checked for every request.
    await("401 for the revoked key",
          [&] { return leaver.request("GET", "/v1/locks/a").status == 401; });
    EXPECT_THAT(lock("a"), Is(200));
}

}  // namespace
}  // namespace fencegate::contract
