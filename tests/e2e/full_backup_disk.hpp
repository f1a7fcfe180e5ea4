#pragma once
// A gateway whose copies of the store go to a disk of their own, which is full.

#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/small_disk.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace fencegate::testing {

class FullBackupDisk : public ::testing::Test {
protected:
    FullBackupDisk() {
        const auto configuration = gateway.folder() / "fencegate.toml";
        std::ofstream(configuration) << "backup_dir = \"" << folder.string() << "\"\n";
        gateway.restart({"--config", configuration.string()});
        disk.fill();
    }
    // Unmounted while the gateway runs, the disk would be busy.
    ~FullBackupDisk() override { gateway.kill9(); }

    // `path` is a request for a copy. Whoever pays does not notice.
    void expect_refused(std::string_view path) {
        auto admin = gateway.admin_client();
        const auto refused = admin.request("POST", path);
        EXPECT_EQ(refused.status, 507) << refused.body;
        EXPECT_EQ(refused.json_text("code"), "store_full");
        auto client = gateway.client();
        EXPECT_EQ(create_payment(client, "pay_42", 5'000).status, 201);
    }

    GatewayProcess gateway;
    std::filesystem::path folder = made(gateway.folder() / "small");
    SmallDisk disk{folder, 1};

private:
    static std::filesystem::path made(std::filesystem::path folder) {
        std::filesystem::create_directory(folder);
        return folder;
    }
};

}  // namespace fencegate::testing
