// Verification of the store that a gateway serves, and `fencegate verify`, as an operator types it.
#include "tests/e2e/full_backup_disk.hpp"
#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/stopwatch.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{60};
const std::string kWrongHead = "1:" + std::string(64, '0');

Response await_end(HttpsClient& admin) {
    const Stopwatch waited;
    for (;;) {
        auto status = admin.request("GET", "/verify");
        const auto state = status.json_text("state");
        const bool is_over = state != "copying" && state != "checking";
        if (status.status != 200 || is_over || waited.elapsed() > kPatience) return status;
    }
}

Response verify(HttpsClient& admin, const std::string& target = "/verify") {
    const auto begun = admin.request("POST", target);
    EXPECT_EQ(begun.status, 202) << begun.body;
    EXPECT_EQ(begun.header("Location"), "/verify");
    return await_end(admin);
}

bool has(const Response& response, std::string_view text) {
    return response.body.find(text) != std::string::npos;
}

void write_some(HttpsClient& client, const std::string& payment, int first, int last) {
    for (int number = first; number < last; ++number) {
        const auto grant = acquire(client, payment);
        const auto made = refund(client, payment,
                                 {.token = grant.header("X-Fence-Token"),
                                  .key = payment + "-" + std::to_string(number)});
        EXPECT_EQ(made.status, 201) << made.body;
        release(client, grant.json_text("lease_id"));
    }
}

TEST(OnlineVerification, FindsAStoreSoundWhileItIsWrittenTo) {
    GatewayProcess gateway;
    auto client = gateway.client();
    auto admin = gateway.admin_client();
    EXPECT_EQ(admin.request("GET", "/verify").body, R"({"state":"none"})");
    create_payment(client, "pay_1", 900'000'000);
    std::atomic<bool> stop = false;
    std::jthread writer([&, own = gateway.client()]() mutable {
        for (int number = 0; !stop; ++number) write_some(own, "pay_1", number, number + 1);
    });

    std::string head;
    for (int round = 0; round < 5; ++round) {
        const auto status = verify(admin, head.empty() ? "/verify" : "/verify?expect_head=" + head);
        ASSERT_EQ(status.json_text("state"), "done") << status.body;
        EXPECT_TRUE(has(status, R"("sound":true)")) << status.body;
        head = status.json_text("head");
    }
    stop = true;

    EXPECT_TRUE(fs::is_empty(gateway.data_dir() / "backups"));
    const auto other = verify(admin, "/verify?expect_head=" + kWrongHead);
    EXPECT_TRUE(has(other, R"("sound":false)")) << other.body;
    EXPECT_TRUE(has(other, "does not have this seal")) << other.body;
}

TEST(OnlineVerification, NeedsTheScopeAdminAndRefusesTheRest) {
    GatewayProcess gateway;
    auto options = gateway.client_options();
    options.port = gateway.admin_listen().port;
    HttpsClient nobody(options);
    options.api_key = gateway.add_key("app", {"payments:write", "metrics:read"});
    HttpsClient app(options);
    auto admin = gateway.admin_client();

    for (const char* method : {"GET", "POST"}) {
        EXPECT_EQ(nobody.request(method, "/verify").status, 401);
        EXPECT_EQ(app.request(method, "/verify").status, 403);
    }
    EXPECT_EQ(admin.request("DELETE", "/verify").header("Allow"), "GET, POST");
    EXPECT_EQ(admin.request("GET", "/verify/1").status, 404);
    EXPECT_EQ(admin.request("GET", "/verify?x=1").status, 400);
    EXPECT_EQ(admin.request("POST", "/verify?expect_head=7").status, 400);
    EXPECT_EQ(admin.request("POST", "/verify", {}, "{}").status, 400);
    EXPECT_EQ(admin.request("GET", "/verify").body, R"({"state":"none"})");
}

using OnlineVerificationOnAFullDisk = FullBackupDisk;

TEST_F(OnlineVerificationOnAFullDisk, IsRefusedAndLeavesNothing) {
    expect_refused("/verify");
    for (const auto& entry : fs::directory_iterator(folder))
        EXPECT_FALSE(entry.path().filename().string().starts_with("store-")) << entry.path();
    disk.make_room();
    auto admin = gateway.admin_client();
    EXPECT_EQ(verify(admin).json_text("state"), "done");
}

// The gateway looks at a copy of its store, which has no folder with marks.
std::string without_marks(const std::string& report) {
    const auto line = report.find("ok   folder_marks");
    if (line == std::string::npos) return "no marks were looked for:\n" + report;
    return report.substr(0, line) + report.substr(report.find('\n', line));
}

TEST(VerifyCommand, AsksTheGatewayThatServesAndLooksItselfAtWhatNobodyServes) {
    GatewayProcess gateway;
    auto client = gateway.client();
    create_payment(client, "pay_42", 5'000);
    write_some(client, "pay_42", 0, 3);
    const auto data_dir = gateway.data_dir().string();
    const auto admin = "https://127.0.0.1:" + std::to_string(gateway.admin_listen().port);
    const auto run = [&](std::vector<std::string> more) {
        more.insert(more.begin(), {"verify", "--data-dir", data_dir});
        return gateway.run_cli(more);
    };

    const auto online = run({"--online", "--admin", admin});
    EXPECT_EQ(online.exit_code, 0) << online.err;
    EXPECT_NE(online.out.find("The store is sound."), std::string::npos) << online.out;
    EXPECT_EQ(run({"--online", "--admin", admin, "--expect-head", kWrongHead}).exit_code, 1);
    EXPECT_EQ(run({}).exit_code, 75);
    gateway.stop();

    EXPECT_EQ(run({"--online", "--admin", admin}).exit_code, 69);
    const auto offline = run({});
    EXPECT_EQ(offline.exit_code, 0) << offline.err;
    EXPECT_EQ(without_marks(offline.out), without_marks(online.out))
        << "the same store, the same report";
    const auto json = run({"--json", "--expect-head", kWrongHead});
    EXPECT_EQ(json.exit_code, 1);
    EXPECT_NE(json.out.find(R"("sound":false)"), std::string::npos) << json.out;
    EXPECT_EQ(run({"--file", "/no/such/store.db"}).exit_code, 66);
    EXPECT_EQ(run({"--file", data_dir + "/ca.pem"}).exit_code, 65);
}

}  // namespace
}  // namespace fencegate::testing
