// A backup taken while clients write, put back on another machine: everything that was acknowledged
// before it is in it, and not one token from before is accepted again.
#include "tests/crash/store_invariants.hpp"
#include "tests/e2e/full_backup_disk.hpp"
#include "tests/support/api_calls.hpp"
#include "tests/support/command_matcher.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/reply_matcher.hpp"

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

Response back_up(const GatewayProcess& gateway) {
    auto admin = gateway.admin_client();
    const auto begun = admin.request("POST", "/backups");
    EXPECT_THAT(begun, Is(202));
    Response status;
    await(
        "the end of the backup",
        [&] {
            status = admin.request("GET", begun.header("Location"));
            const auto state = status.json_text("state");
            return state == "done" || state == "failed";
        },
        kPatience);
    return status;
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

    ASSERT_THAT(status, Is(200, R"({"state":"done"})"));
    writers.await(writers.count() + kRefundsAfter);
    const auto all = writers.finish();
    auto admin = gateway.admin_client();
    EXPECT_EQ(metric(admin, R"(fencegate_store_backups_total{result="ok"})"), "1");
    const fs::path file = status.json_text("file");
    EXPECT_THAT(status, Says(R"({"bytes":$})", fs::file_size(file)));
    fs::copy_file(file, gateway.folder() / "look.db");
    EXPECT_TRUE(broken_invariants(gateway.folder() / "look.db").empty());

    GatewayProcess other;
    put_backup_in_place(other, file);
    EXPECT_THAT(other.run_serve(other.data_dir()), Exits(65, "fencegate restore"));
    ASSERT_THAT(other.run_on_data("restore"), Exits(0));
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

TEST(CopyRoutes, NeedTheScopeAdmin) {
    GatewayProcess gateway;
    auto nobody = gateway.admin_client("");
    auto app = gateway.admin_client(gateway.add_key("app", {"payments:write", "metrics:read"}));

    for (const auto& [method, target] : {std::pair("GET", "/backups"),
                                         {"GET", "/backups/store-1.db"},
                                         {"GET", "/backups/a/b"},
                                         {"POST", "/backups"},
                                         {"GET", "/verify"},
                                         {"POST", "/verify"}}) {
        EXPECT_THAT(nobody.request(method, target), Refused(401, "unauthenticated")) << target;
        EXPECT_THAT(app.request(method, target), Refused(403, "forbidden")) << target;
    }
    EXPECT_FALSE(fs::exists(gateway.data_dir() / "backups"));
    auto admin = gateway.admin_client();
    EXPECT_THAT(admin.request("GET", "/verify"), Is(200, R"({"state":"none"})"));
}

TEST(CopyRoutes, ListWhatThereIsAndRefuseTheRest) {
    GatewayProcess gateway;
    auto admin = gateway.admin_client();
    EXPECT_THAT(admin.request("GET", "/backups"), Is(200, R"({"backups":[]})"));
    const auto name = back_up(gateway).json_text("name");
    gateway.restart();

    admin = gateway.admin_client();
    EXPECT_THAT(admin.request("GET", "/backups"), Is(200, R"({"backups":[{"name":"$"}]})", name));
    EXPECT_THAT(admin.request("GET", "/backups/" + name), Is(200));
    EXPECT_NE(metric(admin, "fencegate_store_last_backup_timestamp_seconds"), "0");
    EXPECT_THAT(admin.request("GET", "/backups/store-1.db"), Refused(404, "backup_not_found"));
    for (const auto* target : {"/backups/a/b", "/verify/1"})
        EXPECT_THAT(admin.request("GET", target), Is(404)) << target;
    for (const auto* path : {"/backups", "/verify"}) {
        EXPECT_THAT(admin.request("GET", filled("$?x=1", path)), Is(400)) << path;
        EXPECT_THAT(admin.request("POST", path, {}, "{}"), Is(400)) << path;
        EXPECT_THAT(admin.request("DELETE", path), Is(405).with("Allow", "GET, POST")) << path;
    }
    EXPECT_THAT(admin.request("POST", "/verify?expect_head=7"), Is(400));
}

using BackupToAFullDisk = FullBackupDisk;

TEST_F(BackupToAFullDisk, IsRefusedAndHarmsNobody) {
    expect_refused("/backups");
    disk.make_room();
    EXPECT_THAT(back_up(gateway), Is(200, R"({"state":"done"})"));
    EXPECT_FALSE(fs::is_empty(folder));
}

TEST(BackupCutShort, ByAKillLeavesTheStoreSoundAndNothingHalf) {
    GatewayProcess gateway;
    for (int round = 0; round < 3; ++round) {
        Writers writers(gateway);
        writers.await(20);
        auto admin = gateway.admin_client();
        ASSERT_THAT(admin.request("POST", "/backups"), Is(202));
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
