// A disk that fails under the real program: it says so to everybody who waits, ends with 70, and a
// start on a disk that works again finds all that was told, and no money twice.
#include "tests/e2e/switched_disk.hpp"
#include "tests/support/api_calls.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/command_matcher.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/reply_matcher.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr int kToldRefunds = 5;
constexpr int kFurtherPayments = 500;  // more pages than a start reads

// A gateway with a payment that is held, some refunds that were told, and somebody in line.
class FailingDisk : public ::testing::Test {
protected:
    void start(std::string file_name) {
        disk.emplace(std::move(file_name));
        gateway.emplace(disk->options());
        auto client = gateway->client();
        ASSERT_THAT(create_payment(client, "pay_42", 900'000), Is(201));
        const auto grant = acquire(client, "pay_42", {.ttl_ms = 600'000});
        token = grant.header("X-Fence-Token");
        lease = grant.json_text("lease_id");
        for (int number = 0; number < kToldRefunds; ++number)
            ASSERT_THAT(refund(client, "pay_42", call(told(number))), Is(201));
        waiter.emplace(begin(*gateway, "POST", "/v1/locks/payments/pay_42",
                             R"({"wait_ms":60000,"owner":"next"})"));
        await_waiters(client, "payments/pay_42", 1);
    }

    // On the same disk.
    [[nodiscard]] CommandResult restore_on_it() const {
        const auto said = gateway->folder() / "said";
        std::filesystem::remove(said);
        ChildProcess child({.binary = FENCEGATE_BINARY,
                            .arguments = {"restore", "--data-dir", gateway->data_dir().string()},
                            .environment = disk->options().environment,
                            .stdout_file = said,
                            .stderr_file = said});
        child.close_input();
        const auto code = child.wait(20s);
        return {.exit_code = code.value_or(-1), .err = read_file(said)};
    }

    static std::string told(int number) { return "told-" + std::to_string(number); }
    [[nodiscard]] RefundCall call(std::string key) const {
        return {.token = token, .key = std::move(key)};
    }
    // Sent, and not waited for.
    [[nodiscard]] HttpsClient begin_refund(const std::string& key) const {
        auto client = gateway->client();
        client.send_raw(refund_request(*gateway, "pay_42", call(key)));
        return client;
    }
    void await_queued(int commands) const {
        auto admin = gateway->admin_client();
        await("the queue", [&] {
            return metric(admin, "fencegate_store_queue_depth") == std::to_string(commands);
        });
    }

    // The next change hangs, and two more stand behind it when the disk fails.
    void fail(DiskMode mode) {
        disk->set(DiskMode::Holds);
        in_commit.emplace(begin_refund("in-commit"));
        await("a commit that hangs", [&] { return disk->holds_somebody(); });
        queue_up(3);
        disk->set(mode);
    }
    void queue_up(int commands) {
        behind.emplace(begin_refund("behind"));
        reader.emplace(begin(*gateway, "GET", "/v1/payments/pay_42"));
        await_queued(commands);
    }

    // False once the disk holds whoever would answer.
    [[nodiscard]] bool is_told(HttpsClient& client) const {
        const Deadline deadline(10s);
        for (;;) {
            try {
                EXPECT_THAT(client.read_response(), Is(201));
                return true;
            } catch (const std::runtime_error&) {
                if (disk->holds_somebody()) return false;
                if (deadline.has_passed()) throw;
            }
        }
    }

    static void expect_unavailable(HttpsClient& client, std::string_view code) {
        EXPECT_THAT(client.read_response(), Refused(503, code));
    }
    // Whoever comes now is told the same, or finds nobody.
    void expect_nobody_served() const {
        try {
            auto client = gateway->client();
            EXPECT_THAT(client.request("GET", "/v1/payments/pay_42"), Refused(503, "store_failed"));
        } catch (const std::runtime_error&) {
            SUCCEED() << "it has gone";
        }
    }
    void expect_end() {
        expect_nobody_served();
        EXPECT_EQ(gateway->wait_for_exit(), 70);
        EXPECT_GT(disk->failed(), 0U);
        EXPECT_THAT(gateway->output(), HasSubstr("fencegate: the store failed: "));
        EXPECT_THAT(gateway->output(), HasSubstr("restart when the disk is sound"));
    }

    // All that was told is there, the lease too, and what nobody knew of is done once.
    void expect_all_there(const std::vector<std::string>& unknown) {
        disk->set(DiskMode::Works);
        gateway->start();
        auto client = gateway->client();
        EXPECT_THAT(client.request("GET", "/v1/leases/" + lease), Is(200, R"({"state":"live"})"));
        for (int number = 0; number < kToldRefunds; ++number)
            EXPECT_THAT(refund(client, "pay_42", call(told(number))),
                        Is(201).with("Idempotency-Replayed", "true"))
                << "told and lost: " << number;
        for (const auto& key : unknown)
            EXPECT_THAT(refund(client, "pay_42", call(key)), Is(201)) << key;
        EXPECT_EQ(refunds_of(client, "pay_42").size(), kToldRefunds + unknown.size());
        EXPECT_EQ(gateway->stop(), 0);
        EXPECT_THAT(gateway->run_on_data("verify"), Exits(0));
    }

    std::optional<SwitchedDisk> disk;
    std::optional<GatewayProcess> gateway;
    std::string token;
    std::string lease;
    std::optional<HttpsClient> waiter;
    std::optional<HttpsClient> in_commit;
    std::optional<HttpsClient> behind;
    std::optional<HttpsClient> reader;
};

class FailingLog : public FailingDisk, public ::testing::WithParamInterface<DiskMode> {};

TEST_P(FailingLog, EndsTheProcessWith70AndLosesNothingThatWasTold) {
    ASSERT_NO_FATAL_FAILURE(start("store.db-wal"));

    ASSERT_NO_FATAL_FAILURE(fail(GetParam()));

    expect_unavailable(*in_commit, "outcome_unknown");
    expect_unavailable(*behind, "store_failed");
    expect_unavailable(*reader, "store_failed");
    expect_unavailable(*waiter, "outcome_unknown");
    expect_end();
    expect_all_there({"in-commit", "behind"});
}

INSTANTIATE_TEST_SUITE_P(Disk, FailingLog,
                         ::testing::Values(DiskMode::FailsSyncs, DiskMode::FailsWrites),
                         [](const auto& mode) {
                             return mode.param == DiskMode::FailsSyncs ? "Sync" : "Write";
                         });

// The log is copied into the store behind the answers, so nobody's outcome is unknown.
TEST_F(FailingDisk, OfACopyOfTheLogEndsTheProcessWith70AndLosesNothingThatWasTold) {
    ASSERT_NO_FATAL_FAILURE(start("store.db"));
    auto impatient = gateway->keyed_options();
    impatient.deadline = 500ms;
    HttpsClient writing(impatient);
    writing.connect();
    disk->set(DiskMode::Holds);
    std::vector<std::string> keys;
    do {
        ASSERT_LT(keys.size(), 5'000U) << "the log was never copied";
        keys.push_back("copied-" + std::to_string(keys.size()));
        writing.send_raw(refund_request(*gateway, "pay_42", call(keys.back())));
    } while (is_told(writing));
    ASSERT_NO_FATAL_FAILURE(queue_up(3));

    disk->set(DiskMode::FailsSyncs);

    expect_unavailable(writing, "store_failed");
    expect_unavailable(*behind, "store_failed");
    expect_unavailable(*reader, "store_failed");
    expect_end();
    keys.emplace_back("behind");
    expect_all_there(keys);
}

// SQLite takes a page that the disk does not give back for a damaged one, and so does the gateway:
// nobody else is harmed, and nothing is lost should the disk find it after all.
TEST_F(FailingDisk, OfAReadRefusesWhoNeedsThePageAndServesTheRest) {
    ASSERT_NO_FATAL_FAILURE(start("store.db"));
    auto client = gateway->client();
    for (int number = 0; number < kFurtherPayments; ++number)
        ASSERT_THAT(create_payment(client, "further-" + std::to_string(number), 500), Is(201));
    gateway->restart();
    client = gateway->client();
    const auto target = "/v1/payments/further-" + std::to_string(kFurtherPayments / 2);

    disk->set(DiskMode::FailsReads);
    const auto refused = client.request("GET", target);
    const auto served = client.request("GET", "/v1/leases/" + lease);
    disk->set(DiskMode::Works);

    EXPECT_THAT(refused, Refused(500, "store_damaged"));
    EXPECT_GT(disk->failed(), 0U);
    EXPECT_THAT(served, Is(200));
    EXPECT_THAT(gateway->output(), HasSubstr("fencegate: the store is DAMAGED: "));
    EXPECT_THAT(client.request("GET", target), Is(200));
    gateway->kill9();
    expect_all_there({});
}

// What a killed gateway leaves is copied at a start, or read: neither is served half.
TEST_F(FailingDisk, AtAStartIsRefusedAndLosesNothingThatWasTold) {
    ASSERT_NO_FATAL_FAILURE(start("store.db"));
    gateway->kill9();
    for (const auto mode : {DiskMode::FailsSyncs, DiskMode::FailsWrites, DiskMode::FailsReads}) {
        SCOPED_TRACE(static_cast<int>(mode));
        const auto said_before = gateway->output().size();
        disk->set(mode);

        EXPECT_THROW(gateway->start(), std::runtime_error);

        EXPECT_EQ(gateway->wait_for_exit(), 70);
        const auto said = gateway->output().substr(said_before);
        EXPECT_THAT(said, HasSubstr("fencegate: Cannot use the store "));
        EXPECT_THAT(said, HasSubstr("see to the disk and start again"));
    }
    expect_all_there({});
}

// No command takes an error of the disk for damage, which would have somebody look for a backup.
TEST_F(FailingDisk, OfACommandIsNoDamageOfTheStore) {
    ASSERT_NO_FATAL_FAILURE(start("store.db-wal"));
    gateway->stop();
    disk->set(DiskMode::FailsWrites);

    EXPECT_THAT(restore_on_it(), Exits(70, "see to the disk"));
    EXPECT_GT(disk->failed(), 0U);
    disk->set(DiskMode::Works);
    EXPECT_THAT(restore_on_it(), Exits(0));
    gateway->start();
    auto client = gateway->client();
    EXPECT_EQ(refunds_of(client, "pay_42").size(), kToldRefunds);
}

}  // namespace
}  // namespace fencegate::testing
