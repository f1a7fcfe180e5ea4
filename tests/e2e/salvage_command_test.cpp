// A frame of the log is damaged and the operator does what the program says, command by command:
// the gateway is back at once without what is behind the damage, and gets that back from the kept
// copy.
#include "storage/sqlite/log_survey.hpp"
#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"

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
    const auto data = gateway.data_dir().string();
    const auto saved = (gateway.folder() / "saved").string();
    auto client = gateway.client();
    for (int number = 0; number < kPayments; ++number)
        ASSERT_EQ(create_payment(client, "pay_" + std::to_string(number), 500).status, 201);
    client.close();
    gateway.kill9();
    damage_an_old_frame(gateway.data_dir() / "store.db");
    const auto last = "/v1/payments/pay_" + std::to_string(kPayments - 1);

    const auto restored = gateway.run_cli({"restore", "--data-dir", data});
    ASSERT_EQ(restored.exit_code, 0) << restored.err;
    gateway.start();
    EXPECT_EQ(gateway.client().request("GET", last).status, 404);
    const auto salvaged = run_told(told(restored.out, "fencegate salvage --from"), saved);

    // The page that was left out is named by the damaged frame alone.
    ASSERT_EQ(salvaged.exit_code, 1) << restored.out << salvaged.out << salvaged.err;
    EXPECT_NE(salvaged.out.find("Not known: "), std::string::npos) << salvaged.out;
    const auto made_fit = run_told(told(salvaged.out, "fencegate restore --data-dir"), saved);
    EXPECT_EQ(made_fit.exit_code, 0) << made_fit.err;
    EXPECT_EQ(made_fit.out.find("behind"), std::string::npos) << made_fit.out;
    ASSERT_EQ(gateway.stop(), 0);
    const auto put_back =
        gateway.run_cli({"restore", "--data-dir", data, "--from", saved + "/store.db"});
    ASSERT_EQ(put_back.exit_code, 0) << put_back.err;
    gateway.start();
    for (int number = 0; number < kPayments; ++number)
        EXPECT_EQ(
            gateway.client().request("GET", "/v1/payments/pay_" + std::to_string(number)).status,
            200);
}

TEST(SalvageCommand, TakesAFolderOrAFileAndNotBoth) {
    GatewayProcess gateway;

    const auto both = gateway.run_cli({"salvage", "--data-dir", gateway.data_dir().string(),
                                       "--from", "store.db", "--to", "NEW"});

    EXPECT_EQ(both.exit_code, 64) << both.out << both.err;
}

}  // namespace
}  // namespace fencegate::testing
