// The disk under a running gateway is full: writes are refused, reads go on, and room is enough to
// recover, without a restart.
#include "tests/support/api_calls.hpp"
#include "tests/support/command_matcher.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/reply_matcher.hpp"
#include "tests/support/small_disk.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

constexpr int kDiskMebibytes = 8;
constexpr std::size_t kRoomLeft = 512 * 1024;
// The store tries every second to copy its log, which is then written over and has room again.
constexpr std::chrono::milliseconds kRetriedWithin{2'500};

// A gateway whose data folder, and access log, are on a small disk.
class FullDiskProcess : public ::testing::Test {
protected:
    FullDiskProcess() {
        gateway.stop();
        disk = std::make_unique<SmallDisk>(gateway.data_dir(), kDiskMebibytes);
        // The store was copied onto the disk, and a copy does not serve.
        EXPECT_THAT(gateway.run_on_data("restore"), Exits(0));
        gateway.restart({"--access-log", (gateway.data_dir() / "access.log").string()});
        client.emplace(gateway.client());
    }
    ~FullDiskProcess() override { gateway.kill9(); }

    // Writes until the disk has no room for one more. The payments that were acknowledged.
    // The log is written over once it was copied, so after the disk is full some writes find room.
    std::size_t write_until_full() {
        disk->fill_but(kRoomLeft);
        std::size_t acknowledged = 0;
        std::optional<Deadline> refused_until;  // since the last that found room
        for (int at = 0; at < 100'000; ++at) {
            const auto answer = create_payment(*client, "fill_" + std::to_string(at), 100);
            if (answer.status == 201) {
                ++acknowledged;
                refused_until.reset();
                continue;
            }
            EXPECT_THAT(answer, Refused(507, "store_full").with("Retry-After", "<any>"));
            EXPECT_GT(at, 10) << "full before anything was written";
            if (HasFailure()) return acknowledged;
            disk->fill();  // not even a smaller write finds room
            if (!refused_until) refused_until.emplace(kRetriedWithin);
            if (refused_until->has_passed()) return acknowledged;
        }
        ADD_FAILURE() << "the disk never filled up";
        return acknowledged;
    }

    GatewayProcess gateway;
    std::unique_ptr<SmallDisk> disk;
    std::optional<HttpsClient> client;
};

TEST_F(FullDiskProcess, RefusesWritesAndServesReads) {
    create_payment(*client, "pay_42", 5'000);
    const auto grant = acquire(*client, "pay_42");
    write_until_full();

    const auto refused =
        refund(*client, "pay_42", {.token = grant.header("X-Fence-Token"), .key = "r"});
    EXPECT_THAT(refused, Is(507));
    EXPECT_THAT(acquire(*client, "another"), Is(507));
    EXPECT_EQ(amount_refunded(*client, "pay_42"), 0);
    EXPECT_THAT(client->request("GET", "/v1/locks/payments/pay_42"),
                Is(200, R"({"state":"held"})"));
    EXPECT_THAT(gateway.admin_client().request("GET", "/healthz"), Is(200));
}

TEST_F(FullDiskProcess, WritesAgainOnceThereIsRoom) {
    create_payment(*client, "pay_42", 5'000);
    const auto grant = acquire(*client, "pay_42");
    const auto acknowledged = write_until_full();
    const RefundCall call{.token = grant.header("X-Fence-Token"), .key = "r"};
    EXPECT_THAT(refund(*client, "pay_42", call), Is(507));

    disk->make_room();

    EXPECT_THAT(refund(*client, "pay_42", call), Is(201));
    EXPECT_EQ(refunds_of(*client, "pay_42").size(), 1U);
    gateway.kill9();
    gateway.start();
    auto again = gateway.client();
    EXPECT_EQ(refunds_of(again, "pay_42").size(), 1U);
    for (const auto at : {std::size_t{0}, acknowledged / 2, acknowledged - 1}) {
        EXPECT_THAT(again.request("GET", filled("/v1/payments/fill_$", at)), Is(200))
            << "acknowledged and lost: " << at;
    }
    EXPECT_EQ(gateway.stop(), 0);
}

TEST_F(FullDiskProcess, EndsALeaseOnceThereIsRoomAgain) {
    create_payment(*client, "pay_42", 5'000);
    const auto grant = acquire(*client, "pay_42", {.ttl_ms = 500});
    write_until_full();
    disk->make_room();

    EXPECT_THAT(acquire(*client, "pay_42", {.wait_ms = 10'000}), Is(201));
    const auto late =
        refund(*client, "pay_42", {.token = grant.header("X-Fence-Token"), .key = "r"});
    EXPECT_THAT(late, Refused(412, "fence_token_stale"));
}

TEST_F(FullDiskProcess, AnAccessLogWithoutRoomHoldsNobodyUp) {
    disk->fill();

    for (int at = 0; at < 2'000; ++at) ASSERT_EQ(client->request("GET", "/v1/locks/a").status, 200);

    EXPECT_EQ(gateway.stop(), 0);
}

TEST_F(FullDiskProcess, StartsAndServesReads) {
    create_payment(*client, "pay_42", 5'000);
    write_until_full();
    gateway.kill9();
    disk->fill();

    gateway.restart({"--access-log", "off"});

    auto reader = gateway.client();
    EXPECT_THAT(reader.request("GET", "/v1/payments/pay_42"), Is(200));
    EXPECT_THAT(create_payment(reader, "one_more", 5'000), Is(507));
}

}  // namespace
}  // namespace fencegate::testing
