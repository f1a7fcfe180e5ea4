// A store that was copied while it ran and put back: the gateway refuses to serve it, says what to
// run, and afterwards not one token from before is accepted.
#include "tests/support/api_calls.hpp"
#include "tests/support/command_matcher.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/reply_matcher.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kPayments = 20;
constexpr auto kOverwrite = fs::copy_options::recursive | fs::copy_options::overwrite_existing;

std::string payment(int number) { return "pay_" + std::to_string(number); }

class PutBack : public ::testing::Test {
protected:
    PutBack() {
        auto client = gateway.client();
        for (int number = 0; number < kPayments; ++number)
            create_payment(client, payment(number), 5'000);
    }

    // Half of the grants are in the copy, half were made after it and are known to clients only.
    void work_and_copy() {
        auto client = gateway.client();
        take_locks(client, 0, kPayments / 2);
        fs::copy(gateway.data_dir(), copy(), fs::copy_options::recursive);
        take_locks(client, kPayments / 2, kPayments);
    }
    void take_locks(HttpsClient& client, int from, int to) {
        for (int number = from; number < to; ++number) {
            const auto grant = acquire(client, payment(number));
            ASSERT_THAT(grant, Is(201));
            tokens.push_back(grant.header("X-Fence-Token"));
        }
    }
    void expect_refusal() {
        EXPECT_THAT(gateway.run_serve(gateway.data_dir()),
                    Exits(65, "fencegate restore --data-dir " + gateway.data_dir().string()));
    }
    void restore(const std::vector<std::string>& more = {}) {
        const auto restored = gateway.run_on_data("restore", more);
        ASSERT_THAT(restored, Exits(0));
        EXPECT_THAT(restored.out, ::testing::HasSubstr("Epoch 1"));
    }
    // Under each old token, against its own lock and everybody else's, before the locks are granted
    // again and after.
    void expect_no_old_token_is_accepted() {
        auto client = gateway.client();
        try_old_tokens(client);
        for (int number = 0; number < kPayments; ++number) {
            const auto next = acquire(client, payment(number));
            ASSERT_THAT(next, Is(201));
            for (const auto& token : tokens)
                EXPECT_GT(std::stoll(next.header("X-Fence-Token")), std::stoll(token));
        }
        try_old_tokens(client);
        for (int number = 0; number < kPayments; ++number)
            EXPECT_EQ(amount_refunded(client, payment(number)), 0);
    }
    void try_old_tokens(HttpsClient& client) {
        for (const auto& token : tokens) {
            for (int number = 0; number < kPayments; ++number) {
                const auto key = token + payment(number) + std::to_string(++tries);
                EXPECT_THAT(refund(client, payment(number), {.token = token, .key = key}),
                            ::testing::AnyOf(Refused(412, "fence_token_unknown"),
                                             Refused(412, "lease_broken")));
            }
        }
    }
    [[nodiscard]] fs::path copy() const { return gateway.folder() / "copy"; }

    GatewayProcess gateway;
    std::vector<std::string> tokens;
    int tries = 0;
};

TEST_F(PutBack, OverTheOriginalIsRefusedUntilRestored) {
    work_and_copy();
    ASSERT_EQ(gateway.stop(), 0);
    fs::copy(copy(), gateway.data_dir(), kOverwrite);

    expect_refusal();
    restore();

    gateway.start();
    expect_no_old_token_is_accepted();
}

TEST_F(PutBack, InPlaceOfTheOriginalAfterAKillIsRefusedUntilRestored) {
    work_and_copy();
    gateway.kill9();
    fs::remove_all(gateway.data_dir());
    fs::copy(copy(), gateway.data_dir(), kOverwrite);

    expect_refusal();
    restore();

    gateway.start();
    expect_no_old_token_is_accepted();
}

TEST_F(PutBack, OfOneFileByRestoreItselfNeedsNoSecondStep) {
    work_and_copy();
    ASSERT_EQ(gateway.stop(), 0);

    restore({"--from", (copy() / "store.db").string()});

    gateway.start();
    expect_no_old_token_is_accepted();
}

TEST_F(PutBack, ARestartWithoutOneIsNotRefused) {
    gateway.kill9();
    gateway.start();
    gateway.restart();

    auto client = gateway.client();
    EXPECT_THAT(acquire(client, payment(0)), Is(201));
}

}  // namespace
}  // namespace fencegate::testing
