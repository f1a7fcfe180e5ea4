// `fencegate backup`, as an operator types it.
#include "tests/crash/store_invariants.hpp"
#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/small_disk.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

TEST(BackupCommand, PrintsTheFileOfASoundBackup) {
    GatewayProcess gateway;
    auto client = gateway.client();
    create_payment(client, "pay_42", 5'000);
    const auto admin = "https://127.0.0.1:" + std::to_string(gateway.admin_listen().port);
    const std::vector<std::string> command{"backup", "--data-dir", gateway.data_dir().string(),
                                           "--admin", admin};

    const auto made = gateway.run_cli(command);

    ASSERT_EQ(made.exit_code, 0) << made.err;
    const fs::path file = made.out.substr(0, made.out.find('\n'));
    EXPECT_EQ(file.parent_path(), gateway.data_dir() / "backups");
    EXPECT_NE(made.err.find("transfer 2"), std::string::npos) << made.err;
    EXPECT_TRUE(broken_invariants(file).empty());
    gateway.stop();
    EXPECT_EQ(gateway.run_cli(command).exit_code, 69);
}

TEST(BackupCommand, WithoutRoomExitsAsWhenAFileCannotBeWritten) {
    GatewayProcess gateway;
    const auto folder = gateway.data_dir() / "backups";
    fs::create_directory(folder);
    const SmallDisk disk(folder, 1);
    gateway.restart();
    disk.fill();
    const auto admin = "https://127.0.0.1:" + std::to_string(gateway.admin_listen().port);

    const auto refused =
        gateway.run_cli({"backup", "--data-dir", gateway.data_dir().string(), "--admin", admin});

    EXPECT_EQ(refused.exit_code, 73) << refused.err;
    EXPECT_NE(refused.err.find("bytes"), std::string::npos) << refused.err;
    gateway.kill9();
}

}  // namespace
}  // namespace fencegate::testing
