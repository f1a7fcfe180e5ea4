// A disk that fails under the real program: it says so to everybody who waits, ends with 70, and a
// start on a disk that works again finds all that was told, and no money twice.
#include "tests/e2e/switched_disk.hpp"
#include "tests/support/api_calls.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/gateway_process.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using namespace std::chrono_literals;

constexpr int kToldRefunds = 5;
constexpr int kFurtherPayments = 500;  // more pages than a start reads

// A gateway with a payment that is held, some refunds that were told, and somebody in line.
class FailingDisk : public ::testing::Test {
protected:
    void start(std::string file_name) {
        disk.emplace(std::move(file_name));
        gateway.emplace(disk->options());
        auto client = gateway->client();
        ASSERT_EQ(create_payment(client, "pay_42", 900'000).status, 201);
        const auto grant = acquire(client, "pay_42", {.ttl_ms = 600'000});
        token = grant.header("X-Fence-Token");
        lease = grant.json_text("lease_id");
        for (int number = 0; number < kToldRefunds; ++number)
            ASSERT_EQ(refund(client, "pay_42", call("told-" + std::to_string(number))).status, 201);
        waiter.emplace(connected());
        waiter->send_raw(acquire_request());
        await([&] { return waiting(client) == 1; }, "the waiter to stand in line");
    }

    // A command of the program, on the same disk.
    [[nodiscard]] CommandResult run_on_it(const std::vector<std::string>& arguments) const {
        const auto said = gateway->folder() / "said";
        std::filesystem::remove(said);
        ChildProcess child({.binary = FENCEGATE_BINARY,
                            .arguments = arguments,
                            .environment = disk->options().environment,
                            .stdout_file = said,
                            .stderr_file = said});
        child.close_input();
        const auto code = child.wait(20s);
        return {.exit_code = code.value_or(-1), .err = read_file(said)};
    }

    [[nodiscard]] RefundCall call(std::string key) const {
        return {.token = token, .key = std::move(key)};
    }
    [[nodiscard]] HttpsClient connected() const {
        HttpsClient client(gateway->client_options());
        client.connect();
        return client;
    }
    // Sent, and not waited for.
    [[nodiscard]] HttpsClient begin_refund(const std::string& key) const {
        auto client = connected();
        client.send_raw(refund_request(options(), "pay_42", call(key)));
        return client;
    }
    [[nodiscard]] HttpsClient::Options options() const {
        auto options = gateway->client_options();
        options.api_key = gateway->api_key();
        return options;
    }
    [[nodiscard]] std::string acquire_request() const {
        const std::string body = R"({"ttl_ms":30000,"wait_ms":60000,"owner":"next"})";
        return "POST /v1/locks/payments/pay_42 HTTP/1.1\r\nHost: " + options().host +
               "\r\nAuthorization: Bearer " + options().api_key +
               "\r\nContent-Type: application/json\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    [[nodiscard]] std::string read_request(const std::string& payment) const {
        return "GET /v1/payments/" + payment + " HTTP/1.1\r\nHost: " + options().host +
               "\r\nAuthorization: Bearer " + options().api_key + "\r\n\r\n";
    }
    static std::int64_t waiting(HttpsClient& client) {
        return client.request("GET", "/v1/locks/payments/pay_42").json_int("waiters");
    }
    template <class Condition>
    static void await(const Condition& condition, const char* what) {
        const Deadline deadline(10s);
        while (!condition()) ASSERT_FALSE(deadline.has_passed()) << "waited for " << what;
    }
    void await_queued(int commands) const {
        auto admin = gateway->admin_client();
        await(
            [&] {
                return metric(admin, "fencegate_store_queue_depth") == std::to_string(commands);
            },
            "the queue");
    }

    // The next change hangs, and two more stand behind it when the disk fails.
    void fail(DiskMode mode) {
        disk->set(DiskMode::Holds);
        in_commit.emplace(begin_refund("in-commit"));
        await([&] { return disk->holds_somebody(); }, "a commit that hangs");
        queue_up(3);
        disk->set(mode);
    }
    void queue_up(int commands) {
        behind.emplace(begin_refund("behind"));
        reader.emplace(connected());
        reader->send_raw(read_request("pay_42"));
        await_queued(commands);
    }

    // False once the disk holds whoever would answer.
    [[nodiscard]] bool is_told(HttpsClient& client) const {
        const Deadline deadline(10s);
        for (;;) {
            try {
                EXPECT_EQ(client.read_response().status, 201);
                return true;
            } catch (const std::runtime_error&) {
                if (disk->holds_somebody()) return false;
                if (deadline.has_passed()) throw;
            }
        }
    }

    static void expect_unavailable(HttpsClient& client, std::string_view code) {
        const auto answer = client.read_response();
        EXPECT_EQ(answer.status, 503) << answer.body;
        EXPECT_EQ(answer.json_text("code"), code) << answer.body;
        EXPECT_TRUE(answer.json_bool("retryable")) << answer.body;
    }
    // Whoever comes now is told the same, or finds nobody.
    void expect_nobody_served() const {
        try {
            auto client = gateway->client();
            const auto answer = client.request("GET", "/v1/payments/pay_42");
            EXPECT_EQ(answer.status, 503) << answer.body;
            EXPECT_EQ(answer.json_text("code"), "store_failed") << answer.body;
        } catch (const std::runtime_error&) {
            SUCCEED() << "it has gone";
        }
    }
    void expect_end() {
        expect_nobody_served();
        EXPECT_EQ(gateway->wait_for_exit(), 70);
        EXPECT_GT(disk->failed(), 0U);
        const auto said = gateway->output();
        EXPECT_NE(said.find("fencegate: the store failed: "), std::string::npos) << said;
        EXPECT_NE(said.find("restart when the disk is sound"), std::string::npos) << said;
    }

    // All that was told is there, the lease too, and what nobody knew of is done once.
    void expect_all_there(const std::vector<std::string>& unknown) {
        disk->set(DiskMode::Works);
        gateway->start();
        auto client = gateway->client();
        EXPECT_EQ(client.request("GET", "/v1/leases/" + lease).json_text("state"), "live");
        for (int number = 0; number < kToldRefunds; ++number) {
            const auto again = refund(client, "pay_42", call("told-" + std::to_string(number)));
            EXPECT_EQ(again.status, 201) << again.body;
            EXPECT_EQ(again.header("Idempotency-Replayed"), "true") << "told and lost: " << number;
        }
        for (const auto& key : unknown) {
            EXPECT_EQ(refund(client, "pay_42", call(key)).status, 201) << key;
        }
        EXPECT_EQ(refunds_of(client, "pay_42").size(), kToldRefunds + unknown.size());
        EXPECT_EQ(gateway->stop(), 0);
        const auto verified =
            gateway->run_cli({"verify", "--data-dir", gateway->data_dir().string()});
        EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
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
    auto impatient = options();
    impatient.deadline = 500ms;
    HttpsClient writing(impatient);
    writing.connect();
    disk->set(DiskMode::Holds);
    std::vector<std::string> keys;
    do {
        ASSERT_LT(keys.size(), 5'000U) << "the log was never copied";
        keys.push_back("copied-" + std::to_string(keys.size()));
        writing.send_raw(refund_request(options(), "pay_42", call(keys.back())));
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
        ASSERT_EQ(create_payment(client, "further-" + std::to_string(number), 500).status, 201);
    gateway->restart();
    client = gateway->client();
    const auto target = "/v1/payments/further-" + std::to_string(kFurtherPayments / 2);

    disk->set(DiskMode::FailsReads);
    const auto refused = client.request("GET", target);
    const auto served = client.request("GET", "/v1/leases/" + lease);
    disk->set(DiskMode::Works);

    EXPECT_EQ(refused.status, 500) << refused.body;
    EXPECT_EQ(refused.json_text("code"), "store_damaged");
    EXPECT_GT(disk->failed(), 0U);
    EXPECT_EQ(served.status, 200) << served.body;
    EXPECT_NE(gateway->output().find("fencegate: the store is DAMAGED: "), std::string::npos);
    EXPECT_EQ(client.request("GET", target).status, 200);
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
        EXPECT_NE(said.find("fencegate: Cannot use the store "), std::string::npos) << said;
        EXPECT_NE(said.find("see to the disk and start again"), std::string::npos) << said;
    }
    expect_all_there({});
}

// No command takes an error of the disk for damage, which would have somebody look for a backup.
TEST_F(FailingDisk, OfACommandIsNoDamageOfTheStore) {
    ASSERT_NO_FATAL_FAILURE(start("store.db-wal"));
    gateway->stop();
    disk->set(DiskMode::FailsWrites);

    const auto restored = run_on_it({"restore", "--data-dir", gateway->data_dir().string()});

    EXPECT_EQ(restored.exit_code, 70) << restored.err;
    EXPECT_NE(restored.err.find("see to the disk"), std::string::npos) << restored.err;
    EXPECT_GT(disk->failed(), 0U);
    disk->set(DiskMode::Works);
    EXPECT_EQ(run_on_it({"restore", "--data-dir", gateway->data_dir().string()}).exit_code, 0);
    gateway->start();
    auto client = gateway->client();
    EXPECT_EQ(refunds_of(client, "pay_42").size(), kToldRefunds);
}

}  // namespace
}  // namespace fencegate::testing
