// A frame of the log is damaged and the operator does what the program says, command by command:
// the gateway is back at once without what is behind the damage, and gets that back from the kept
// copy.
#include "storage/sqlite/log_survey.hpp"
#include "tests/support/api_calls.hpp"
#include "tests/support/command_matcher.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/reply_matcher.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;
using namespace storage::sqlite;

constexpr int kPayments = 10;

// Of a page that a later commit wrote again: SQLite stops there, a salvage does not.
void damage_an_old_frame(const fs::path& store) {
    std::map<std::uint32_t, std::int64_t> first;
    std::int64_t damaged = 0;
    ASSERT_TRUE(walk_log(log_of(store), [&](const SeenFrame& frame) {
        const auto [seen, is_new] = first.emplace(frame.header.page, frame.number);
        if (!is_new && damaged == 0) damaged = seen->second;
    }));
    ASSERT_GT(damaged, 0);
    std::fstream log(log_of(store), std::ios::binary | std::ios::in | std::ios::out);
    log.seekp(frame_offset(damaged, 4'096) + 1'000);
    log << "not what was written here, and longer than what a salvage heals";
}

// The line of a text that says what to run: the words behind `begin`, to the end of the line.
std::string told(const std::string& text, const std::string& begin) {
    const auto at = text.find(begin);
    if (at == std::string::npos) return "not told: " + text;
    return text.substr(at, text.find('\n', at) - at);
}

CommandResult run_told(std::string command, const std::string& new_folder) {
    command.replace(0, std::string("fencegate").size(), FENCEGATE_BINARY);
    if (const auto at = command.find("NEW-FOLDER"); at != std::string::npos)
        command.replace(at, std::string("NEW-FOLDER").size(), new_folder);
    return run_command("/bin/sh", {"-c", command});
}

TEST(SalvageCommand, GetsBackFromTheKeptCopyWhatARestoreGaveUp) {
    GatewayProcess gateway;
    const auto saved = (gateway.folder() / "saved").string();
    auto client = gateway.client();
    for (int number = 0; number < kPayments; ++number)
        ASSERT_THAT(create_payment(client, "pay_" + std::to_string(number), 500), Is(201));
    client.close();
    gateway.kill9();
    damage_an_old_frame(gateway.data_dir() / "store.db");
    const auto last = "/v1/payments/pay_" + std::to_string(kPayments - 1);

    const auto restored = gateway.run_on_data("restore");
    ASSERT_THAT(restored, Exits(0));
    gateway.start();
    EXPECT_THAT(gateway.client().request("GET", last), Is(404));
    const auto salvaged = run_told(told(restored.out, "fencegate salvage --from"), saved);

    // The page that was left out is named by the damaged frame alone.
    ASSERT_EQ(salvaged.exit_code, 1) << restored.out << salvaged.out << salvaged.err;
    EXPECT_THAT(salvaged.out, ::testing::HasSubstr("Not known: "));
    const auto made_fit = run_told(told(salvaged.out, "fencegate restore --data-dir"), saved);
    EXPECT_THAT(made_fit, Exits(0));
    EXPECT_THAT(made_fit.out, ::testing::Not(::testing::HasSubstr("behind")));
    ASSERT_EQ(gateway.stop(), 0);
    ASSERT_THAT(gateway.run_on_data("restore", {"--from", saved + "/store.db"}), Exits(0));
    gateway.start();
    client = gateway.client();
    for (int number = 0; number < kPayments; ++number)
        EXPECT_THAT(client.request("GET", filled("/v1/payments/pay_$", number)), Is(200));
}

TEST(SalvageCommand, TakesAFolderOrAFileAndNotBoth) {
    GatewayProcess gateway;

    EXPECT_THAT(gateway.run_on_data("salvage", {"--from", "store.db", "--to", "NEW"}), Exits(64));
}

}  // namespace
}  // namespace fencegate::testing
