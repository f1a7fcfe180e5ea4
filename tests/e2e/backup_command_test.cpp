// `fencegate backup`, as an operator types it.
#include "tests/crash/store_invariants.hpp"
#include "tests/support/api_calls.hpp"
#include "tests/support/command_matcher.hpp"
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
    const std::vector<std::string> to_it{"--admin", gateway.admin_url()};

    const auto made = gateway.run_on_data("backup", to_it);

    ASSERT_THAT(made, Exits(0, "transfer 2"));
    const fs::path file = made.out.substr(0, made.out.find('\n'));
    EXPECT_EQ(file.parent_path(), gateway.data_dir() / "backups");
    EXPECT_TRUE(broken_invariants(file).empty());
    gateway.stop();
    EXPECT_THAT(gateway.run_on_data("backup", to_it), Exits(69));
}

TEST(BackupCommand, WithoutRoomExitsAsWhenAFileCannotBeWritten) {
    GatewayProcess gateway;
    const auto folder = gateway.data_dir() / "backups";
    fs::create_directory(folder);
    const SmallDisk disk(folder, 1);
    gateway.restart();
    disk.fill();

    EXPECT_THAT(gateway.run_on_data("backup", {"--admin", gateway.admin_url()}),
                Exits(73, "bytes"));
    gateway.kill9();
}

}  // namespace
}  // namespace fencegate::testing
