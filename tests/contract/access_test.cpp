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

constexpr std::string_view kLease = "/v1/leases/01890a5d-ac96-774b-bcce-b302099a8057";
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
    {"GET", "/v1/payments/p", "payments:read"},
    {"GET", "/v1/payments/p/refunds", "payments:read"},
};

TEST_F(Access, NobodyGetsAnythingWithoutCredentials) {
    auto nobody = gateway().client("");
    for (const auto& route : kRoutes) {
        const auto refused = nobody.request(route.method, route.target);

        expect_problem(refused, 401, "unauthenticated");
        EXPECT_TRUE(refused.header("WWW-Authenticate").starts_with("Bearer"));
    }
    EXPECT_EQ(lock("a").json_text("state"), "free");
}

TEST_F(Access, TellsNoKeyFromAKeyThatIsNotKnown) {
    auto nobody = gateway().client("");
    const auto detail = [&](const Headers& headers) {
        const auto refused = nobody.request("GET", "/v1/locks/a", headers);
        expect_problem(refused, 401, "unauthenticated");
        return refused.json_text("detail");
    };

    EXPECT_TRUE(contains(detail({}), "carries no API key"));
    EXPECT_TRUE(contains(detail({{"Authorization", "Basic YTpi"}}), "not of the form"));
    const auto unknown = detail({{"Authorization", "Bearer fg_unknown"}});
    EXPECT_TRUE(contains(unknown, "does not know")) << unknown;
    EXPECT_FALSE(contains(unknown, "Send")) << "one was sent";
}

TEST_F(Access, NobodyLearnsWhichRoutesExist) {
    auto nobody = gateway().client("");

    for (const auto* target : {"/v1/nothing", "/", "/v1/locks/a%2Fb"}) {
        expect_problem(nobody.request("GET", target), 401, "unauthenticated");
    }
    expect_problem(nobody.request("PATCH", "/v1/payments"), 401, "unauthenticated");
}

TEST_F(Access, OnlyAGoodKeyInBearerFormIsAccepted) {
    const auto key = gateway().api_key();
    auto other = gateway().client("");
    auto flipped = key;
    flipped.back() = flipped.back() == 'A' ? 'B' : 'A';
    for (const auto& value :
         {"Bearer " + flipped, "Bearer " + key.substr(0, key.size() - 1), "Bearer " + key + "A",
          "Basic " + key, key, std::string("Bearer"), std::string("Bearer "), "Bearer\t" + key,
          "Bearer " + key + " " + key}) {
        const auto refused = other.request("GET", "/v1/locks/a", {{"Authorization", value}});

        expect_problem(refused, 401, "unauthenticated");
    }
    EXPECT_EQ(other.request("GET", "/v1/locks/a", {{"Authorization", "bearer " + key}}).status,
              200);
    expect_problem(
        other.request("GET", "/v1/locks/a",
                      {{"Authorization", "Bearer " + key}, {"Authorization", "Bearer " + key}}),
        400, "bad_request");
}

TEST_F(Access, AKeyOpensExactlyTheRoutesOfItsScope) {
    for (const std::string scope : {"locks:read", "locks:write", "payments:read", "payments:write",
                                    "admin", "metrics:read"}) {
        auto scoped = gateway().client(gateway().add_key("p-" + scope.substr(0, 3), {scope}));
        for (const auto& route : kRoutes) {
            SCOPED_TRACE(scope + " " + route.method + " " + route.target);
            const auto answer = scoped.request(route.method, route.target);

            if (scope == route.scope) {
                EXPECT_NE(answer.status, 403);
            } else {
                expect_problem(answer, 403, "forbidden");
                EXPECT_TRUE(contains(answer.json_text("detail"), route.scope));
            }
        }
    }
}

TEST_F(Access, UnknownPathsAreNotFound) {
    for (const auto* target : {"/", "/v1", "/v1/nothing", "/v2/locks/a", "/v1/payments/p/x",
                               "/v1/payments/p/refunds/r", "/metrics", "/healthz"}) {
        expect_problem(client.request("GET", target), 404, "not_found");
    }
    expect_problem(client.request("POST", std::string(kLease) + "/Renew"), 404, "not_found");
}

TEST_F(Access, PathsThatAreNoPathAreRefused) {
    for (const auto* target : {"/v1/payments/", "/v1//payments", "/v1/payments/../locks/a",
                               "/v1/payments/a%2Fb", "/v1/payments/a?x=%zz", "/v1/payments/a?&"}) {
        expect_problem(client.request("GET", target), 400, "bad_request");
    }
}

struct MethodRow {
    const char* name;
    const char* method;
    const char* target;
    const char* allow;
};

std::ostream& operator<<(std::ostream& out, const MethodRow& row) { return out << row.name; }

class WrongMethod : public GatewaySuite, public ::testing::WithParamInterface<MethodRow> {};

TEST_P(WrongMethod, IsRefusedWithWhatThePathTakes) {
    const auto refused = client.request(GetParam().method, GetParam().target);

    expect_problem(refused, 405, "method_not_allowed");
    EXPECT_EQ(refused.header("Allow"), GetParam().allow);
}

INSTANTIATE_TEST_SUITE_P(
    Contract, WrongMethod,
    ::testing::Values(MethodRow{"PutPayments", "PUT", "/v1/payments", "POST, GET"},
                      MethodRow{"DeletePayment", "DELETE", "/v1/payments/p", "GET"},
                      MethodRow{"PatchRefunds", "PATCH", "/v1/payments/p/refunds", "POST, GET"},
                      MethodRow{"GetRenew", "GET", "/v1/leases/x/renew", "POST"},
                      MethodRow{"PostLease", "POST", "/v1/leases/x", "GET, DELETE"},
                      MethodRow{"PutLock", "PUT", "/v1/locks/a/b", "POST, GET, DELETE"},
                      MethodRow{"Lower", "OPTIONS", "/v1/locks/a", "POST, GET, DELETE"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(Access, ARevokedKeyStopsWorkingAfterAReload) {
    const auto key = gateway().add_key("leaver", {"locks:read"});
    auto leaver = gateway().client(key);
    ASSERT_EQ(leaver.request("GET", "/v1/locks/a").status, 200);
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
    EXPECT_TRUE(eventually("401 for the revoked key",
                           [&] { return leaver.request("GET", "/v1/locks/a").status == 401; }));
    EXPECT_EQ(client.request("GET", "/v1/locks/a").status, 200);
}

TEST_F(Access, AFailedReloadLeavesTheKeysAsTheyWere) {
    const auto file = gateway().data_dir() / "server.pem";
    const auto hidden = gateway().data_dir() / "server.pem.hidden";
    std::filesystem::rename(file, hidden);
    std::filesystem::create_directory(file);

    gateway().signal(SIGHUP);
    EXPECT_TRUE(eventually("a failed reload",
                           [&] { return contains(gateway().output(), "reload failed"); }));

    EXPECT_EQ(gateway().client().request("GET", "/v1/locks/a").status, 200);
    EXPECT_TRUE(contains(gateway().admin_client().request("GET", "/metrics").body,
                         "\nfencegate_config_last_reload_successful 0\n"));
    std::filesystem::remove(file);
    std::filesystem::rename(hidden, file);
}

}  // namespace
}  // namespace fencegate::contract
