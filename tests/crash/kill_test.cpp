// kill -9 in the middle of load, again and again on the same data folder. What was acknowledged is
// there, what was not is resolved by its key to exactly one effect, and tokens only rise.
// FENCEGATE_CRASH_ROUNDS sets the number of kills, FENCEGATE_CRASH_SEED another course of events.
#include "tests/crash/diary.hpp"
#include "tests/crash/store_invariants.hpp"
#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/repetitions.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/stopwatch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace fencegate::testing {
namespace {

constexpr std::size_t kClients = 6;
constexpr std::size_t kPayments = 4;
constexpr std::int64_t kFunds = 900'000'000'000;
// After a kill every live lease stands for its whole TTL again, and the next round waits for it.
constexpr std::int64_t kTtlMs = 300;
constexpr std::chrono::seconds kLoadMax{30};
constexpr std::chrono::seconds kRestartMax{3};

std::string payment_name(std::size_t index) { return "pay_" + std::to_string(index); }

// Burns down with every step of the load; the kill comes when it is gone.
class Fuse {
public:
    explicit Fuse(std::size_t steps) : left_(steps) {}

    void burn() {
        const std::lock_guard lock(mutex_);
        if (left_ > 0 && --left_ == 0) is_gone_.notify_one();
    }
    [[nodiscard]] bool await_end() {
        std::unique_lock lock(mutex_);
        return is_gone_.wait_for(lock, kLoadMax, [this] { return left_ == 0; });
    }
    [[nodiscard]] bool has_ended() {
        const std::lock_guard lock(mutex_);
        return left_ == 0;
    }

private:
    std::mutex mutex_;
    std::condition_variable is_gone_;
    std::size_t left_;
};

// Takes a lock, refunds once or twice, lets go; writes down before it asks and after it is told.
class LoadClient {
public:
    LoadClient(HttpsClient client, std::string name, std::uint64_t seed, Fuse& fuse, Diary& diary)
        : client_(std::move(client)),
          name_(std::move(name)),
          random_(seed),
          fuse_(fuse),
          diary_(diary) {}

    // Until the gateway is killed.
    void run() {
        try {
            for (;;) take_turn();
        } catch (const std::runtime_error& error) {
            if (!fuse_.has_ended()) ADD_FAILURE() << name_ << ": " << error.what();
        }
    }

private:
    void take_turn() {
        auto& record = diary_.acquires.emplace_back();
        record.payment = payment_name(random_.below(kPayments));
        record.key = new_key();
        fuse_.burn();
        const auto grant =
            acquire(client_, record.payment,
                    {.ttl_ms = kTtlMs, .wait_ms = 5'000, .owner = name_, .key = record.key});
        record.fate = grant.status == 201 ? Fate::Done : Fate::Refused;
        fuse_.burn();
        if (record.fate == Fate::Refused) return;
        record.lease_id = grant.json_text("lease_id");
        record.token = grant.json_int("fencing_token");
        for (auto left = 1 + random_.below(2); left > 0; --left)
            give_back(record.payment, grant.header("X-Fence-Token"));
        record.is_released = release(client_, record.lease_id).status == 204;
    }

    void give_back(const std::string& payment, const std::string& token) {
        auto& record = diary_.refunds.emplace_back();
        record.payment = payment;
        record.key = new_key();
        record.token = token;
        record.amount_minor = 1 + static_cast<std::int64_t>(random_.below(999));
        fuse_.burn();
        const auto answer =
            refund(client_, payment,
                   {.token = token, .key = record.key, .amount_minor = record.amount_minor});
        record.body = answer.body;
        if (answer.status == 201) record.refund_id = answer.json_text("id");
        record.fate = answer.status == 201 ? Fate::Done : Fate::Refused;
        fuse_.burn();
    }

    std::string new_key() { return name_ + "-" + std::to_string(++last_key_); }

    HttpsClient client_;
    std::string name_;
    SeededRandom random_;
    Fuse& fuse_;
    Diary& diary_;
    int last_key_ = 0;
};

// Everything ever acknowledged, and what a restarted gateway must still say about it.
class Auditor {
public:
    void check(const GatewayProcess& gateway, std::vector<Diary>& diaries) {
        auto client = gateway.client();
        const auto before = highest_token_;
        for (auto& diary : diaries) {
            for (auto& record : diary.acquires) check_grant(client, record, before);
            for (auto& record : diary.refunds) check_refund(client, record);
        }
        for (std::size_t at = 0; at < kPayments; ++at) {
            const auto payment = payment_name(at);
            EXPECT_EQ(amount_refunded(client, payment), refunded_[payment]) << payment;
        }
    }

    void check_every_refund(const GatewayProcess& gateway) {
        auto client = gateway.client();
        std::set<std::string> listed;
        std::size_t count = 0;
        for (std::size_t at = 0; at < kPayments; ++at) {
            for (auto& entry : refunds_of(client, payment_name(at))) {
                listed.insert(std::move(entry.id));
                ++count;
            }
        }
        EXPECT_EQ(listed, refund_ids_);
        EXPECT_EQ(count, refund_ids_.size());
    }

    void print() const {
        std::cout << "acknowledged: " << tokens_.size() << " grants, " << refund_ids_.size()
                  << " refunds; " << unknown_ << " unknown outcomes resolved by their keys, "
                  << unknown_done_ << " of them had been written\n";
    }

private:
    void check_grant(HttpsClient& client, AcquireRecord& record, std::int64_t before) {
        if (record.fate == Fate::Unknown) return resolve(client, record);
        if (record.fate == Fate::Refused) return;
        EXPECT_GT(record.token, before) << "a token from before the last kill";
        note_token(record.token);
        const auto lease = client.request("GET", "/v1/leases/" + record.lease_id);
        ASSERT_EQ(lease.status, 200) << "an acknowledged grant is lost: " << lease.body;
        EXPECT_EQ(lease.json_int("fencing_token"), record.token);
        if (record.is_released) {
            EXPECT_EQ(lease.json_text("state"), "released");
        }
    }

    void resolve(HttpsClient& client, AcquireRecord& record) {
        const auto grant = acquire(client, record.payment,
                                   {.ttl_ms = kTtlMs,
                                    .wait_ms = 5'000,
                                    .owner = record.key.substr(0, record.key.rfind('-')),
                                    .key = record.key});
        ++unknown_;
        if (grant.status == 410) {  // it had been written, and has ended since
            EXPECT_EQ(grant.header("Idempotency-Replayed"), "true") << grant.body;
            ++unknown_done_;
            return;
        }
        ASSERT_EQ(grant.status, 201) << grant.body;
        if (!grant.header("Idempotency-Replayed").empty()) ++unknown_done_;
        note_token(grant.json_int("fencing_token"));
        release(client, grant.json_text("lease_id"));
    }

    void check_refund(HttpsClient& client, RefundRecord& record) {
        if (record.fate == Fate::Refused) return;  // the sums tell that it had no effect
        const auto again =
            refund(client, record.payment,
                   {.token = record.token, .key = record.key, .amount_minor = record.amount_minor});
        if (record.fate == Fate::Done) {
            ASSERT_EQ(again.status, 201) << "an acknowledged refund is lost: " << again.body;
            EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
            EXPECT_EQ(again.body, record.body);
        } else {
            ++unknown_;
            if (!again.header("Idempotency-Replayed").empty()) ++unknown_done_;
            ASSERT_TRUE(again.status == 201 || again.status == 412) << again.body;
            if (again.status == 412) return;
        }
        EXPECT_TRUE(refund_ids_.insert(again.json_text("id")).second);
        refunded_[record.payment] += record.amount_minor;
    }

    void note_token(std::int64_t token) {
        EXPECT_TRUE(tokens_.insert(token).second) << "issued twice: " << token;
        highest_token_ = std::max(highest_token_, token);
    }

    std::set<std::int64_t> tokens_;
    std::int64_t highest_token_ = 0;
    std::set<std::string> refund_ids_;
    std::map<std::string, std::int64_t> refunded_;
    int unknown_ = 0;
    int unknown_done_ = 0;
};

std::vector<Diary> load_until_killed(GatewayProcess& gateway, std::size_t round,
                                     SeededRandom& random) {
    Fuse fuse(10 + random.below(250));
    std::vector<Diary> diaries(kClients);
    std::vector<std::jthread> threads;
    for (std::size_t at = 0; at < kClients; ++at) {
        auto name = "r" + std::to_string(round) + "c" + std::to_string(at);
        threads.emplace_back([client = LoadClient(gateway.client(), std::move(name), random.next(),
                                                  fuse, diaries[at])]() mutable { client.run(); });
    }
    EXPECT_TRUE(fuse.await_end()) << "the load stood still";
    gateway.kill9();
    threads.clear();
    return diaries;
}

TEST(Kill9, LosesNothingAcknowledgedAndIssuesNoTokenTwice) {
    const auto rounds = repetitions("FENCEGATE_CRASH_ROUNDS", 50);
    SeededRandom random(repetitions("FENCEGATE_CRASH_SEED", 1));
    GatewayProcess gateway;
    auto client = gateway.client();
    for (std::size_t at = 0; at < kPayments; ++at)
        ASSERT_EQ(create_payment(client, payment_name(at), kFunds).status, 201);
    Auditor auditor;
    std::chrono::milliseconds slowest{0};

    for (std::size_t round = 0; round < rounds && !HasFailure(); ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        auto diaries = load_until_killed(gateway, round, random);
        const Stopwatch restart;
        gateway.start();
        slowest = std::max(slowest, restart.elapsed());
        auditor.check(gateway, diaries);
    }

    EXPECT_LT(slowest, kRestartMax);
    auditor.check_every_refund(gateway);
    gateway.kill9();
    for (const auto& broken : broken_invariants(gateway.data_dir() / "store.db"))
        ADD_FAILURE() << broken;
    auditor.print();
    std::cout << "slowest of " << rounds << " restarts: " << slowest.count() << " ms\n";
}

}  // namespace
}  // namespace fencegate::testing
