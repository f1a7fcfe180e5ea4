// A storm of contention, expiries, stale writes and replays; then one scrape, which must say what
// the clients were told: no more and no less, in every series that they can know.
#include "tests/e2e/storm_client.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/seeded_random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <future>
#include <sstream>
#include <string>
#include <vector>

namespace fencegate::testing {
namespace {

constexpr int kClients = 8;
constexpr int kRounds = 25;
constexpr int kPayments = 3;
constexpr std::int64_t kLongMs = 60'000;
constexpr std::int64_t kBriefMs = 100;

constexpr std::string_view kConfiguration = R"(
access_log = "off"
[class.payments]
waiters_per_lock_max = 2
[class.jobs]
late_writes = "accept"
)";

// What clients cannot know: how long things took, and what the process is like.
constexpr std::string_view kKnown[] = {
    "fencegate_lock_acquire_total{",
    "fencegate_lock_acquire_wait_seconds_count{",
    "fencegate_lock_hold_seconds_count{",
    "fencegate_lease_renewed_total{",
    "fencegate_lease_released_total{",
    "fencegate_lease_expired_total{",
    "fencegate_lease_broken_total{",
    "fencegate_lease_remaining_at_release_seconds_count{",
    "fencegate_lease_expiry_lag_seconds_count",
    "fencegate_fence_checks_total{",
    "fencegate_fence_stale_age_seconds_count{",
    "fencegate_idempotency_total{",
    "fencegate_payments_total{",
    "fencegate_http_requests_total{listener=\"public\"",
    "fencegate_http_request_duration_seconds_count{listener=\"public\"",
    "fencegate_store_errors_total{",
    "fencegate_locks_held{",
    "fencegate_lock_waiters{",
    "fencegate_lock_oldest_waiter_seconds{",
    "fencegate_lease_remaining_ratio_count{at=\"re",
};

Tally scrape(HttpsClient& admin) {
    Tally known;
    std::istringstream lines(admin.request("GET", "/metrics").body);
    for (std::string line; std::getline(lines, line);) {
        const auto blank = line.rfind(' ');
        const auto is_known = [&](std::string_view prefix) { return line.starts_with(prefix); };
        if (line.starts_with('#') || std::ranges::none_of(kKnown, is_known)) continue;
        double value = 0;
        std::from_chars(line.data() + blank + 1, line.data() + line.size(), value);
        known[line.substr(0, blank)] = static_cast<std::uint64_t>(value);
    }
    return known;
}

std::string payment_of(std::uint64_t number) { return "storm_" + std::to_string(number); }

// One worker: what it does next is drawn, and whom it meets is chance.
class Worker {
public:
    Worker(const GatewayProcess& gateway, int number)
        : client_(gateway.client()),
          name_("w" + std::to_string(number)),
          random_(static_cast<std::uint64_t>(number) + 1) {}

    void run() {
        for (int round = 0; round < kRounds; ++round) {
            const auto payment = payment_of(random_.below(kPayments));
            const auto lock = "payments/" + payment;
            const bool is_brief = random_.below(4) == 0;
            const auto lease = client_.acquire(lock, is_brief ? kBriefMs : kLongMs,
                                               random_.below(3) == 0 ? 0 : random_.below(400));
            if (lease.id.empty()) continue;
            is_brief ? outlive(lease, payment) : use(lease, payment);
        }
    }

    [[nodiscard]] const Tally& told() const { return client_.told(); }

private:
    std::string key() { return name_ + "-" + std::to_string(++keys_); }

    // Within its lease: accepted, replayed, refused by the business; then it ends one way or the
    // other, and a write comes after the end.
    void use(const StormLease& lease, const std::string& payment) {
        const auto first = key();
        client_.move(payment, "refunds", first, lease.token);
        if (random_.below(2) == 0) client_.move(payment, "refunds", first, lease.token);
        if (random_.below(3) == 0) client_.move(payment, "refunds", first, lease.token, 2);
        if (random_.below(3) == 0) client_.move(payment, "refunds", key(), lease.token, 5'000'000);
        if (random_.below(3) == 0) client_.move(payment, "captures", key(), lease.token);
        if (random_.below(2) == 0) client_.renew(lease);
        random_.below(4) == 0 ? client_.break_lock(lease) : client_.release(lease);
        client_.move(payment, "refunds", key(), lease.token);
        client_.move(payment, "refunds", first, lease.token);  // its key still answers
    }

    // Expired or superseded by now: only the answer can tell.
    void outlive(const StormLease& lease, const std::string& payment) {
        client_.await_expiry(lease);
        const auto late = key();
        client_.move(payment, "refunds", late, lease.token);
        client_.renew(lease);
        client_.release(lease);
    }

    StormClient client_;
    std::string name_;
    SeededRandom random_;
    int keys_ = 0;
};

// One client, in order: every outcome that chance might leave out.
void play_every_case(StormClient& client, StormClient& stranger) {
    client.create("case", "c1");
    client.create("case", "c1");
    client.create("case", "c2");
    const auto lease = client.acquire("payments/case", kLongMs, 0, "a1");
    client.acquire("payments/case", kLongMs, 0, "a1");
    client.acquire("payments/case", kBriefMs, 0, "a1");
    client.acquire("payments/case", 1);
    client.acquire("payments/case", kLongMs);
    client.acquire("payments/case", kLongMs, 30);
    for (const auto* token : {"", "0", "4711"}) client.move("case", "refunds", "r1", token);
    client.move("case", "refunds", "r1", lease.token);
    client.move("case", "cancel", "x1", lease.token);
    stranger.move("case", "refunds", "r2", lease.token);
    const auto elsewhere = client.acquire("other-class/x", kLongMs);
    client.move("case", "refunds", "r3", elsewhere.token);
    client.release(lease);
    client.move("case", "refunds", "r4", lease.token);
    const auto brief = client.acquire("payments/case", kBriefMs);
    client.await_expiry(brief);
    client.move("case", "refunds", "r5", brief.token);
    client.break_lock(client.acquire("payments/case", kLongMs));
    client.move("case", "refunds", "r6", brief.token);
    const auto job = client.acquire("jobs/nightly", kBriefMs);
    client.await_expiry(job);
    client.create("late", "l1", "jobs/nightly", job.token);
    client.release(elsewhere);
    client.look("/v1/nowhere", "unmatched");
}

// The same request while the first still waits; and a line that is full.
void play_a_full_line(const GatewayProcess& gateway, StormClient& client, Tally& told) {
    const auto lease = client.acquire("payments/line", kLongMs);
    std::vector<std::future<Tally>> waiting;
    for (int place = 1; place <= 2; ++place) {
        waiting.push_back(std::async(std::launch::async, [&gateway, place] {
            StormClient waiter(gateway.client());
            waiter.release(
                waiter.acquire("payments/line", kLongMs, 20'000, "line-" + std::to_string(place)));
            return waiter.told();
        }));
        client.await_waiters("payments/line", place);
    }
    client.acquire("payments/line", kLongMs, 20'000, "line-1");
    client.acquire("payments/line", kLongMs, 20'000);
    client.release(lease);
    for (auto& one : waiting) add(told, one.get());
}

void play_at_random(const GatewayProcess& gateway, Tally& told) {
    std::vector<std::future<Tally>> workers;
    for (int number = 0; number < kClients; ++number) {
        workers.push_back(std::async(std::launch::async, [&gateway, number] {
            Worker worker(gateway, number);
            worker.run();
            return worker.told();
        }));
    }
    for (auto& worker : workers) add(told, worker.get());
}

TEST(Storm, CountersSayWhatTheClientsWereTold) {
    GatewayProcess gateway({.configuration = std::string(kConfiguration)});
    StormClient stranger(gateway.client(gateway.add_key("stranger", {"*"})));
    StormClient client(gateway.client());
    auto admin = gateway.admin_client();
    const auto before = scrape(admin);

    Tally told;
    for (int number = 0; number < kPayments; ++number)
        client.create(payment_of(static_cast<std::uint64_t>(number)),
                      "create-" + std::to_string(number));
    play_at_random(gateway, told);
    play_every_case(client, stranger);
    play_a_full_line(gateway, client, told);
    const auto after = scrape(admin);

    add(told, client.told());
    add(told, stranger.told());
    for (const auto& [series, value] : after) {
        const auto expected = told.contains(series) ? told.at(series) : 0;
        EXPECT_EQ(value - before.at(series), expected) << series;
    }
    for (const auto& [series, count] : told)
        EXPECT_TRUE(after.contains(series)) << series << " does not exist, told " << count;
    // Nothing that the storm is about has been left to chance.
    for (const auto* series :
         {R"(fencegate_lock_acquire_total{class="payments",outcome="granted"})",
          R"(fencegate_lock_acquire_total{class="payments",outcome="contended"})",
          R"(fencegate_lock_acquire_total{class="payments",outcome="timeout"})",
          R"(fencegate_lock_acquire_total{class="payments",outcome="queue_full"})",
          R"(fencegate_lock_acquire_total{class="payments",outcome="denied"})",
          R"(fencegate_lease_expired_total{class="payments"})",
          R"(fencegate_lease_broken_total{class="payments"})",
          R"(fencegate_fence_checks_total{class="payments",result="stale"})",
          R"(fencegate_fence_checks_total{class="payments",result="expired"})",
          R"(fencegate_fence_checks_total{class="jobs",result="late"})",
          R"(fencegate_idempotency_total{result="replayed"})",
          R"(fencegate_idempotency_total{result="mismatch"})",
          R"(fencegate_idempotency_total{result="in_flight"})",
          R"(fencegate_payments_total{operation="refund",result="refused"})"})
        EXPECT_GT(after.at(series), 0U) << series;
}

}  // namespace
}  // namespace fencegate::testing
