// Verification of the store that a gateway serves, and `fencegate verify`, as an operator types it.
#include "tests/e2e/full_backup_disk.hpp"
#include "tests/support/api_calls.hpp"
#include "tests/support/command_matcher.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/reply_matcher.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{60};
const std::string kWrongHead = "1:" + std::string(64, '0');

Response verify(HttpsClient& admin, const std::string& target = "/verify") {
    EXPECT_THAT(admin.request("POST", target), Is(202).with("Location", "/verify"));
    Response status;
    await(
        "the end of the verification",
        [&] {
            status = admin.request("GET", "/verify");
            const auto state = status.json_text("state");
            return state != "copying" && state != "checking";
        },
        kPatience);
    return status;
}

void write_some(HttpsClient& client, const std::string& payment, int first, int last) {
    for (int number = first; number < last; ++number) {
        const auto grant = acquire(client, payment);
        const auto made = refund(client, payment,
                                 {.token = grant.header("X-Fence-Token"),
                                  .key = payment + "-" + std::to_string(number)});
        EXPECT_THAT(made, Is(201));
        release(client, grant.json_text("lease_id"));
    }
}

TEST(OnlineVerification, FindsAStoreSoundWhileItIsWrittenTo) {
    GatewayProcess gateway;
    auto client = gateway.client();
    auto admin = gateway.admin_client();
    EXPECT_THAT(admin.request("GET", "/verify"), Is(200, R"({"state":"none"})"));
    create_payment(client, "pay_1", 900'000'000);
    std::atomic<bool> stop = false;
    std::jthread writer([&, own = gateway.client()]() mutable {
        for (int number = 0; !stop; ++number) write_some(own, "pay_1", number, number + 1);
    });

    std::string head;
    for (int round = 0; round < 5; ++round) {
        const auto status = verify(admin, head.empty() ? "/verify" : "/verify?expect_head=" + head);
        ASSERT_THAT(status, Is(200, R"({"state":"done"})"));
        EXPECT_THAT(status.body, ::testing::HasSubstr(R"("sound":true)"));
        head = status.json_text("head");
    }
    stop = true;

    EXPECT_TRUE(fs::is_empty(gateway.data_dir() / "backups"));
    const auto other = verify(admin, "/verify?expect_head=" + kWrongHead);
    EXPECT_THAT(other.body, ::testing::HasSubstr(R"("sound":false)"));
    EXPECT_THAT(other.body, ::testing::HasSubstr("does not have this seal"));
}

using OnlineVerificationOnAFullDisk = FullBackupDisk;

TEST_F(OnlineVerificationOnAFullDisk, IsRefusedAndLeavesNothing) {
    expect_refused("/verify");
    for (const auto& entry : fs::directory_iterator(folder))
        EXPECT_FALSE(entry.path().filename().string().starts_with("store-")) << entry.path();
    disk.make_room();
    auto admin = gateway.admin_client();
    EXPECT_THAT(verify(admin), Is(200, R"({"state":"done"})"));
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
    const std::vector<std::string> online{"--online", "--admin", gateway.admin_url()};
    const auto run = [&](const std::vector<std::string>& more) {
        return gateway.run_on_data("verify", more);
    };

    const auto told = run(online);
    EXPECT_THAT(told, Exits(0));
    EXPECT_THAT(told.out, ::testing::HasSubstr("The store is sound."));
    auto other_head = online;
    other_head.insert(other_head.end(), {"--expect-head", kWrongHead});
    EXPECT_THAT(run(other_head), Exits(1));
    EXPECT_THAT(run({}), Exits(75));
    gateway.stop();

    EXPECT_THAT(run(online), Exits(69));
    const auto offline = run({});
    EXPECT_THAT(offline, Exits(0));
    EXPECT_EQ(without_marks(offline.out), without_marks(told.out))
        << "the same store, the same report";
    const auto json = run({"--json", "--expect-head", kWrongHead});
    EXPECT_THAT(json, Exits(1));
    EXPECT_THAT(json.out, ::testing::HasSubstr(R"("sound":false)"));
    EXPECT_THAT(run({"--file", "/no/such/store.db"}), Exits(66));
    EXPECT_THAT(run({"--file", gateway.ca_file().string()}), Exits(65));
}

}  // namespace
}  // namespace fencegate::testing
