// A file that may not grow, by a limit of the process (ulimit -f), is a full disk: no command is
// ended by the signal, writes are refused, reads go on, and who fails leaves nothing behind.
#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

void limit_files(const GatewayProcess& gateway, rlim_t bytes) {
    rlimit limit{};
    ASSERT_EQ(::prlimit(gateway.pid(), RLIMIT_FSIZE, nullptr, &limit), 0);
    limit.rlim_cur = bytes;
    ASSERT_EQ(::prlimit(gateway.pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
}

TEST(FileLimit, AGatewayRefusesWritesServesReadsAndGoesOn) {
    GatewayProcess gateway;
    auto client = gateway.client();
    ASSERT_EQ(create_payment(client, "pay_42", 5'000).status, 201);
    constexpr rlim_t kRoom = 200'000;
    limit_files(gateway, fs::file_size(gateway.data_dir() / "store.db-wal") + kRoom);

    int acknowledged = 0;
    auto refused = create_payment(client, "fill_0", 100);
    while (refused.status == 201 && acknowledged < 5'000)
        refused = create_payment(client, "fill_" + std::to_string(++acknowledged), 100);

    EXPECT_EQ(refused.status, 507) << refused.body;
    EXPECT_EQ(refused.json_text("code"), "store_full");
    EXPECT_GT(acknowledged, 5);
    EXPECT_EQ(client.request("GET", "/v1/payments/pay_42").status, 200);

    limit_files(gateway, RLIM_INFINITY);
    EXPECT_EQ(create_payment(client, "after", 100).status, 201);
    EXPECT_EQ(client.request("GET", "/v1/payments/fill_0").status, 200);
    EXPECT_EQ(gateway.stop(), 0);
}

// A command, and how many blocks of 512 bytes each of its files may have.
struct Limited {
    const char* name;
    int blocks;
    std::vector<std::string> arguments;  // NEW is a folder that is not there, OLD a store's

    friend void PrintTo(const Limited& row, std::ostream* out) { *out << row.name; }
};

class LimitedCommand : public ::testing::TestWithParam<Limited> {};

std::string put_into(std::string text, std::string_view name, const fs::path& value) {
    if (const auto at = text.find(name); at != std::string::npos)
        text.replace(at, name.size(), value.string());
    return text;
}

std::vector<std::string> names_below(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        names.push_back(entry.path().string());
    return names;
}

TEST_P(LimitedCommand, SaysSoAndLeavesNothing) {
    GatewayProcess gateway;
    auto client = gateway.client();
    ASSERT_EQ(create_payment(client, "pay_42", 5'000).status, 201);
    client.close();
    gateway.kill9();
    fs::remove(gateway.data_dir() / "keys.lock");
    const TempDir beside;
    const auto old_names = names_below(gateway.data_dir());
    std::string line =
        "ulimit -S -f " + std::to_string(GetParam().blocks) + "; exec " FENCEGATE_BINARY;
    for (const auto& argument : GetParam().arguments) {
        line += " " + put_into(put_into(argument, "NEW", beside / "a" / "new"), "OLD",
                               gateway.data_dir());
    }

    const auto result = run_command("/bin/sh", {"-c", line});

    EXPECT_EQ(result.exit_code, 73) << result.err;
    // Its messages go to a file too here.
    if (GetParam().blocks > 0) {
        EXPECT_NE(result.err, "");
    }
    EXPECT_EQ(names_below(beside.path()), std::vector<std::string>()) << result.err;
    EXPECT_EQ(names_below(gateway.data_dir()), old_names) << result.err;
}

INSTANTIATE_TEST_SUITE_P(
    FileLimit, LimitedCommand,
    ::testing::Values(
        Limited{"FirstServe", 8, {"serve", "--data-dir", "NEW", "--listen", "127.0.0.1:0"}},
        Limited{"FirstServeWithoutALock", 0, {"serve", "--data-dir", "NEW"}},
        Limited{
            "KeyAddToANewFolder", 0, {"key", "add", "--data-dir", "NEW", "--principal", "cron"}},
        Limited{"KeyAdd", 0, {"key", "add", "--data-dir", "OLD", "--principal", "cron"}},
        Limited{"Restore", 8, {"restore", "--data-dir", "OLD"}},
        Limited{"RestoreOfABackup", 8, {"restore", "--data-dir", "NEW", "--from", "OLD/store.db"}},
        Limited{"Salvage", 8, {"salvage", "--data-dir", "OLD", "--to", "NEW"}}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace fencegate::testing
