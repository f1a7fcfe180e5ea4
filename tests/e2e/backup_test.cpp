// A backup taken while clients write, put back on another machine: everything that was acknowledged
// before it is in it, and not one token from before is accepted again.
#include "tests/crash/store_invariants.hpp"
#include "tests/e2e/full_backup_disk.hpp"
#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/stopwatch.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kClients = 4;
constexpr std::size_t kRefundsBefore = 300;
constexpr std::size_t kRefundsAfter = 100;
constexpr std::chrono::seconds kPatience{30};

struct Refund {
    std::string payment;
    std::string token;
    std::string key;
    std::string body;
};

// Each client on a payment of its own: lock, refund, let go, again.
class Writers {
public:
    explicit Writers(const GatewayProcess& gateway) : refunds_(kClients) {
        auto client = gateway.client();
        for (std::size_t at = 0; at < kClients; ++at) {
            create_payment(client, payment(at), 900'000'000);
            threads_.emplace_back(
                [this, at, own = gateway.client()]() mutable { run(std::move(own), at); });
        }
    }
    ~Writers() { stop_ = true; }

    void await(std::size_t refunds) {
        std::unique_lock lock(mutex_);
        const bool came = has_more_.wait_for(
            lock, kPatience, [&] { return count_ >= refunds || !failure_.empty(); });
        EXPECT_TRUE(came && failure_.empty()) << failure_;
    }
    // What was acknowledged so far, by client and in order.
    std::vector<std::vector<Refund>> acknowledged() {
        const std::lock_guard lock(mutex_);
        return refunds_;
    }
    std::vector<std::vector<Refund>> finish() {
        stop_ = true;
        threads_.clear();
        return acknowledged();
    }
    [[nodiscard]] std::size_t count() {
        const std::lock_guard lock(mutex_);
        return count_;
    }

private:
    static std::string payment(std::size_t at) { return "pay_" + std::to_string(at); }

    void run(HttpsClient client, std::size_t at) {
        for (int number = 0; !stop_; ++number) {
            const auto grant = acquire(client, payment(at));
            Refund made{.payment = payment(at),
                        .token = grant.header("X-Fence-Token"),
                        .key = payment(at) + "-" + std::to_string(number),
                        .body = {}};
            auto answer = refund(client, made.payment, {.token = made.token, .key = made.key});
            release(client, grant.json_text("lease_id"));
            const std::lock_guard lock(mutex_);
            if (answer.status != 201) failure_ = answer.body;
            made.body = std::move(answer.body);
            refunds_[at].push_back(std::move(made));
            ++count_;
            has_more_.notify_all();
        }
    }

    std::atomic<bool> stop_ = false;
    std::mutex mutex_;
    std::condition_variable has_more_;
    std::vector<std::vector<Refund>> refunds_;  // guarded by mutex_, as the rest
    std::size_t count_ = 0;
    std::string failure_;
    std::vector<std::jthread> threads_;
};

Response await_end(HttpsClient& admin, const std::string& location) {
    const Stopwatch waited;
    for (;;) {
        auto status = admin.request("GET", location);
        if (status.status != 200) return status;
        const auto state = status.json_text("state");
        if (state == "done" || state == "failed" || waited.elapsed() > kPatience) return status;
    }
}

Response back_up(const GatewayProcess& gateway) {
    auto admin = gateway.admin_client();
    const auto begun = admin.request("POST", "/backups");
    EXPECT_EQ(begun.status, 202) << begun.body;
    return await_end(admin, begun.header("Location"));
}

CommandResult serve(const GatewayProcess& gateway) {
    return gateway.run_cli({"serve", "--data-dir", gateway.data_dir().string(), "--listen",
                            "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"});
}

// A machine that was set up anew, and the backup where the store would be.
void put_backup_in_place(GatewayProcess& other, const fs::path& backup) {
    other.stop();
    for (const char* name : {"store.db", "store.db-wal", "store.lock", "store.marks"})
        fs::remove_all(other.data_dir() / name);
    fs::copy_file(backup, other.data_dir() / "store.db");
}

std::size_t replay(HttpsClient& client, const std::vector<Refund>& refunds, std::size_t must) {
    std::size_t kept = 0;
    for (const auto& made : refunds) {
        const auto again = refund(client, made.payment, {.token = made.token, .key = made.key});
        if (again.status != 201) {
            EXPECT_EQ(again.status, 412) << again.body;
            EXPECT_GE(kept, must) << "acknowledged before the backup began, and lost: " << made.key;
            continue;
        }
        EXPECT_EQ(again.body, made.body);
        EXPECT_EQ(&made - refunds.data(), static_cast<std::ptrdiff_t>(kept)) << "a gap before it";
        ++kept;
    }
    return kept;
}

TEST(BackupUnderLoad, HoldsWhatWasAcknowledgedAndOldTokensAreWorthNothing) {
    GatewayProcess gateway;
    Writers writers(gateway);
    writers.await(kRefundsBefore);
    const auto before = writers.acknowledged();

    const auto status = back_up(gateway);

    ASSERT_EQ(status.json_text("state"), "done") << status.body;
    writers.await(writers.count() + kRefundsAfter);
    const auto all = writers.finish();
    EXPECT_EQ(metric(*std::make_unique<HttpsClient>(gateway.admin_client()),
                     "fencegate_store_backups_total{result=\"ok\"}"),
              "1");
    const fs::path file = status.json_text("file");
    EXPECT_EQ(status.json_int("bytes"), static_cast<std::int64_t>(fs::file_size(file)));
    fs::copy_file(file, gateway.folder() / "look.db");
    EXPECT_TRUE(broken_invariants(gateway.folder() / "look.db").empty());

    GatewayProcess other;
    put_backup_in_place(other, file);
    const auto refused = serve(other);
    EXPECT_EQ(refused.exit_code, 65);
    EXPECT_NE(refused.err.find("fencegate restore"), std::string::npos) << refused.err;
    ASSERT_EQ(other.run_cli({"restore", "--data-dir", other.data_dir().string()}).exit_code, 0);
    other.start();

    auto client = other.client();
    int accepted = 0;
    for (std::size_t at = 0; at < kClients; ++at) {
        const auto kept = replay(client, all[at], before[at].size());
        EXPECT_EQ(refunds_of(client, all[at].front().payment).size(), kept);
        for (const auto& made : all[at]) {
            EXPECT_LE(std::stoll(made.token), 1LL << 43);
            const auto stale =
                refund(client, made.payment, {.token = made.token, .key = made.key + "-again"});
            if (stale.status != 412) ++accepted;
        }
    }
    EXPECT_EQ(accepted, 0);
    for (const auto& own : before)
        EXPECT_LE(std::stoll(own.back().token), status.json_int("last_token"));
}

TEST(BackupRoutes, NeedTheScopeAdmin) {
    GatewayProcess gateway;
    auto options = gateway.client_options();
    options.port = gateway.admin_listen().port;
    HttpsClient nobody(options);
    options.api_key = gateway.add_key("app", {"payments:write", "metrics:read"});
    HttpsClient app(options);

    for (const char* target : {"/backups", "/backups/store-1.db", "/backups/a/b"}) {
        EXPECT_EQ(nobody.request("GET", target).status, 401) << target;
        EXPECT_EQ(app.request("GET", target).status, 403) << target;
    }
    EXPECT_EQ(nobody.request("POST", "/backups").status, 401);
    EXPECT_EQ(app.request("POST", "/backups").status, 403);
    EXPECT_FALSE(fs::exists(gateway.data_dir() / "backups"));
}

TEST(BackupRoutes, ListWhatThereIsAndRefuseTheRest) {
    GatewayProcess gateway;
    auto admin = gateway.admin_client();
    EXPECT_EQ(admin.request("GET", "/backups").body, R"({"backups":[]})");
    const auto made = back_up(gateway);
    gateway.restart();

    auto again = gateway.admin_client();
    const auto list = again.request("GET", "/backups");
    EXPECT_NE(list.body.find(made.json_text("name")), std::string::npos) << list.body;
    EXPECT_EQ(again.request("GET", "/backups/" + made.json_text("name")).status, 200);
    const auto metrics = again.request("GET", "/metrics").body;
    EXPECT_NE(metrics.find("\nfencegate_store_last_backup_timestamp_seconds "), std::string::npos);
    EXPECT_EQ(metrics.find("\nfencegate_store_last_backup_timestamp_seconds 0\n"),
              std::string::npos);
    const auto missing = again.request("GET", "/backups/store-1.db");
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(missing.json_text("code"), "backup_not_found");
    EXPECT_EQ(again.request("GET", "/backups/a/b").status, 404);
    EXPECT_EQ(again.request("GET", "/backups?x=1").status, 400);
    EXPECT_EQ(again.request("POST", "/backups", {}, "{}").status, 400);
    const auto wrong = again.request("DELETE", "/backups");
    EXPECT_EQ(wrong.status, 405);
    EXPECT_EQ(wrong.header("Allow"), "GET, POST");
}

using BackupToAFullDisk = FullBackupDisk;

TEST_F(BackupToAFullDisk, IsRefusedAndHarmsNobody) {
    expect_refused("/backups");
    disk.make_room();
    EXPECT_EQ(back_up(gateway).json_text("state"), "done");
    EXPECT_FALSE(fs::is_empty(folder));
}

TEST(BackupCutShort, ByAKillLeavesTheStoreSoundAndNothingHalf) {
    GatewayProcess gateway;
    for (int round = 0; round < 3; ++round) {
        Writers writers(gateway);
        writers.await(20);
        auto admin = gateway.admin_client();
        ASSERT_EQ(admin.request("POST", "/backups").status, 202);
        const auto sound = writers.finish();
        gateway.kill9();
        gateway.start();

        auto client = gateway.client();
        for (const auto& own : sound) EXPECT_EQ(replay(client, own, own.size()), own.size());
        const fs::path folder = gateway.data_dir() / "backups";
        for (const auto& entry : fs::directory_iterator(folder))
            EXPECT_EQ(entry.path().extension(), ".db") << entry.path();
        if (round < 2) {  // the next writers begin anew
            gateway.stop();
            for (const char* name :
                 {"store.db", "store.db-wal", "store.db-tail", "store.lock", "store.marks"})
                fs::remove_all(gateway.data_dir() / name);
            gateway.start();
        }
    }
}

}  // namespace
}  // namespace fencegate::testing
