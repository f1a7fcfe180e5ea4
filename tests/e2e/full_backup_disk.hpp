#pragma once
// A gateway whose copies of the store go to a disk of their own, which is full.

#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/reply_matcher.hpp"
#include "tests/support/small_disk.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace fencegate::testing {

class FullBackupDisk : public ::testing::Test {
protected:
    FullBackupDisk() {
        gateway.restart_with(filled("backup_dir = \"$\"\n", folder.string()));
        disk.fill();
    }
    // Unmounted while the gateway runs, the disk would be busy.
    ~FullBackupDisk() override { gateway.kill9(); }

    // `path` is a request for a copy. Whoever pays does not notice.
    void expect_refused(std::string_view path) {
        auto admin = gateway.admin_client();
        EXPECT_THAT(admin.request("POST", path), Refused(507, "store_full"));
        auto client = gateway.client();
        EXPECT_THAT(create_payment(client, "pay_42", 5'000), Is(201));
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
