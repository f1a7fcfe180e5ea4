// A disk that fills up in the middle of a restore: it is told as such, and everything is as it was.
#include "tests/support/api_calls.hpp"
#include "tests/support/command_matcher.hpp"
#include "tests/support/folder_contents.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/reply_matcher.hpp"
#include "tests/support/small_disk.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kDiskMebibytes = 16;
constexpr std::size_t kStep = 20 * 1024;

// A store that was killed, with payments that are only in its log, and a backup of before them.
class RestoreOnAFullDisk : public ::testing::Test {
protected:
    RestoreOnAFullDisk() {
        pay(0, 40);
        gateway.stop();
        fs::copy_file(gateway.data_dir() / "store.db", backup());
        gateway.start();
        pay(40, 60);
        gateway.kill9();
        disk = std::make_unique<SmallDisk>(gateway.data_dir(), kDiskMebibytes);
    }
    void pay(int from, int to) {
        auto client = gateway.client();
        for (int at = from; at < to; ++at)
            ASSERT_THAT(create_payment(client, "pay_" + std::to_string(at), 5'000), Is(201));
    }
    // With ever more room, until there is enough. Returns how often there was too little.
    int restore_until_done(const std::vector<std::string>& more) const {
        for (int refused = 0;; ++refused) {
            disk->make_room();
            const auto before = contents_of(gateway.data_dir());
            disk->fill_but(static_cast<std::size_t>(refused) * kStep);
            const auto result = gateway.run_on_data("restore", more);
            if (result.exit_code == 0) return refused;
            disk->make_room();
            EXPECT_THAT(result, Exits(73, "hanged"));
            expect_same(gateway.data_dir(), before);
            if (HasFailure() || refused > 200) return -1;
        }
    }
    // A place beside the disk.
    [[nodiscard]] fs::path backup() const { return gateway.folder() / "backup.db"; }
    [[nodiscard]] int status_of(const std::string& payment) const {
        auto client = gateway.client();
        return client.request("GET", "/v1/payments/" + payment).status;
    }

    GatewayProcess gateway;
    std::unique_ptr<SmallDisk> disk;
};

TEST_F(RestoreOnAFullDisk, OfABackupLeavesEverythingAsItWas) {
    EXPECT_GT(restore_until_done({"--from", backup().string()}), 5);

    disk->make_room();
    gateway.start();
    EXPECT_EQ(status_of("pay_39"), 200);
    EXPECT_EQ(status_of("pay_40"), 404);
}

TEST_F(RestoreOnAFullDisk, OfWhatIsThereLeavesEverythingAsItWas) {
    EXPECT_GT(restore_until_done({}), 5);

    disk->make_room();
    gateway.start();
    EXPECT_EQ(status_of("pay_59"), 200);
}

}  // namespace
}  // namespace fencegate::testing
