// A store that was copied while it ran and put back: the gateway refuses to serve it, says what to
// run, and afterwards not one token from before is accepted.
#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"

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
            ASSERT_EQ(grant.status, 201) << grant.body;
            tokens.push_back(grant.header("X-Fence-Token"));
        }
    }
    void expect_refusal() {
        const auto served =
            gateway.run_cli({"serve", "--data-dir", gateway.data_dir().string(), "--listen",
                             "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"});
        EXPECT_EQ(served.exit_code, 65) << served.err;
        EXPECT_NE(served.err.find("fencegate restore --data-dir " + gateway.data_dir().string()),
                  std::string::npos)
            << served.err;
    }
    void restore(std::vector<std::string> arguments = {}) {
        arguments.insert(arguments.begin(), {"restore", "--data-dir", gateway.data_dir().string()});
        const auto restored = gateway.run_cli(arguments);
        ASSERT_EQ(restored.exit_code, 0) << restored.err;
        EXPECT_NE(restored.out.find("Epoch 1"), std::string::npos) << restored.out;
    }
    // Under each old token, against its own lock and everybody else's, before the locks are granted
    // again and after.
    void expect_no_old_token_is_accepted() {
        auto client = gateway.client();
        try_old_tokens(client);
        for (int number = 0; number < kPayments; ++number) {
            const auto next = acquire(client, payment(number));
            ASSERT_EQ(next.status, 201) << next.body;
            for (const auto& token : tokens)
                EXPECT_GT(std::stoll(next.header("X-Fence-Token")), std::stoll(token));
        }
        try_old_tokens(client);
        for (int number = 0; number < kPayments; ++number)
            EXPECT_EQ(amount_refunded(client, payment(number)), 0);
    }
    void try_old_tokens(HttpsClient& client) {
        int accepted = 0;
        for (const auto& token : tokens) {
            for (int number = 0; number < kPayments; ++number) {
                const auto key = token + payment(number) + std::to_string(++tries);
                const auto answer = refund(client, payment(number), {.token = token, .key = key});
                if (answer.status < 300) ++accepted;
                EXPECT_EQ(answer.status, 412) << answer.body;
                const auto code = answer.json_text("code");
                EXPECT_TRUE(code == "fence_token_unknown" || code == "lease_broken") << code;
            }
        }
        EXPECT_EQ(accepted, 0);
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
    EXPECT_EQ(acquire(client, payment(0)).status, 201);
}

}  // namespace
}  // namespace fencegate::testing
