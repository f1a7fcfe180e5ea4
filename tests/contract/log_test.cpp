// What an operator is told: by machines' measure on stderr, and in a file that is rotated.
#include "tests/contract/gateway_suite.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace fencegate::contract {
namespace {

using testing::TempDir;

std::string text_of(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

void expect_line_of(const Response& answer, const std::filesystem::path& file) {
    const auto id = answer.header("X-Request-Id");
    await("the line of " + id, [&] { return contains(text_of(file), id); });
}

void reload(const GatewayProcess& gateway, std::string_view outcome) {
    gateway.signal(SIGHUP);
    await(outcome, [&] { return contains(gateway.output(), outcome); });
}

TEST(RotatedLog, IsOpenedAnewAtSighup) {
    const TempDir folder;
    const auto file = folder / "access.log";
    const auto rotated = folder / "access.log.1";
    GatewayProcess gateway({.arguments = {"--access-log", file.string()}});
    auto client = gateway.client();
    expect_line_of(client.request("GET", "/v1/locks/a"), file);

    std::filesystem::rename(file, rotated);
    reload(gateway, "reloaded keys");
    const auto after = client.request("GET", "/v1/locks/b");

    expect_line_of(after, file);
    EXPECT_FALSE(contains(text_of(rotated), after.header("X-Request-Id")));
}

TEST(RotatedLog, GoesOnWhereItWasIfItCannotBeOpened) {
    const TempDir folder;
    const auto logs = folder / "logs";
    std::filesystem::create_directory(logs);
    GatewayProcess gateway({.arguments = {"--access-log", (logs / "access.log").string()}});
    auto client = gateway.client();

    std::filesystem::rename(logs, folder / "moved");
    reload(gateway, "; the old file stays");
    const auto after = client.request("GET", "/v1/locks/a");

    expect_line_of(after, folder / "moved" / "access.log");
}

TEST(MachinesLog, IsObjectsOnlyAndKeepsTheFirstKeyToItself) {
    GatewayProcess gateway({.arguments = {"--log-format", "json"}});
    reload(gateway, "reloaded keys");

    std::istringstream output(gateway.output());
    for (std::string line; std::getline(output, line);) {
        Response told;
        told.body = line;
        EXPECT_TRUE(told.has("ts")) << line;
    }
    EXPECT_TRUE(contains(gateway.output(), "made the first API key: it is in "));
    EXPECT_FALSE(contains(gateway.output(), gateway.api_key()));
}

TEST(MachinesLog, SaysWhyAStartWasRefused) {
    GatewayProcess gateway;

    const auto refused =
        gateway.run_cli({"serve", "--data-dir", gateway.data_dir().string(), "--log-format", "json",
                         "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"});

    Response told;
    told.body = refused.err;
    EXPECT_EQ(told.json_text("level"), "error");
    EXPECT_EQ(told.json_int("exit_code"), refused.exit_code);
    EXPECT_EQ(refused.exit_code, 75);
}

}  // namespace
}  // namespace fencegate::contract
