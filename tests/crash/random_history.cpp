#include "tests/crash/random_history.hpp"

#include "storage/sqlite/database.hpp"
#include "storage/sqlite/verify_store.hpp"
#include "storage/verify/verify_checks.hpp"
#include "tests/support/tokens.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace fencegate::testing {
namespace {

using lockmgr::LockMode;
using lockmgr::LockName;
using storage::AcquireLock;
using storage::Answer;
using storage::CreatePayment;
using storage::MovePayment;
using storage::Operation;
using Kind = MovePayment::Kind;

constexpr const char* kPrincipals[] = {"one", "two"};

// Answers and holds are kept for a day, leases for two.
storage::Retention retention() {
    return {std::chrono::hours(24), std::chrono::hours(48), std::chrono::hours(24)};
}

// What is durable is for the ForgetfulDisk to say: memory is as good as a disk, and does not wait.
std::filesystem::path memory() {
    const std::filesystem::path shared("/dev/shm");
    return ::access(shared.c_str(), W_OK) == 0 ? shared : std::filesystem::temp_directory_path();
}

std::string lock_of(const std::string& payment) { return "payments/" + payment; }

void present(Operation& operation, std::int64_t token) {
    if (auto* move = std::get_if<MovePayment>(&operation)) move->token = testing::presented(token);
}

}  // namespace

RandomHistory::RandomHistory(std::uint64_t seed)
    : random_(seed),
      store_({{.name = "payments", .accepts_late_writes = seed % 2 == 0}}, retention(), memory()) {}

void RandomHistory::say(std::string what) {
    if (wrong_.empty()) wrong_ = std::move(what);
}

void RandomHistory::sequence() {
    for (auto left = 10 + random_.below(21); left > 0 && store_.store; --left) step();
    if (disk_.is_dead()) restart(/*is_clean=*/false);
    disk_.be_sound();
}

void RandomHistory::step() {
    const auto dice = random_.below(100);
    if (dice < 84) {
        run_commands();
    } else if (dice < 97) {
        let_time_pass();
    } else {
        fail_somehow();
    }
    if (store_.store && store_.store->fatal()) restart(/*is_clean=*/false);
}

void RandomHistory::let_time_pass() {
    const auto dice = random_.below(40);
    if (dice == 0) {
        // Answers of the day before are forgotten, so a key may have another effect.
        store_.tick(std::chrono::hours(1 + below(60)));
        asked_.clear();
        ++tally_["days went by"];
    } else if (dice < 6) {
        store_.tick(std::chrono::minutes(1 + below(40)));
    } else {
        store_.tick(Duration(below(700)));
    }
    // NTP, within what it does as a rule.
    if (random_.below(10) == 0) store_.clock.step_wall(Duration(below(60'000) - 30'000));
}

void RandomHistory::fail_somehow() {
    switch (random_.below(5)) {
        case 0: return restart(/*is_clean=*/true);
        case 1: return restart(/*is_clean=*/false);
        case 2: return disk_.lose_power_at(1 + random_.below(60));
        case 3: return disk_.fail_at(1 + random_.below(10), SQLITE_FULL, 1 + random_.below(20));
        default: return checkpoint();
    }
}

void RandomHistory::checkpoint() {
    store_.connection->checkpoint(random_.below(2) == 0);
    const auto failure = store_.connection->failure();
    store_.connection->clear_failure();
    if (failure && failure->kind != storage::sqlite::Failure::Kind::Full)
        restart(/*is_clean=*/false);
}

void RandomHistory::restart(bool is_clean) {
    const bool has_power = !disk_.is_dead();
    if (is_clean && has_power) store_.store->close();
    store_.store.reset();
    ++tally_[!has_power ? "power cut" : is_clean ? "restart" : "kill"];
    // Of a kill everything remains that was written; of a cut, what the disk made of it.
    disk_.power_cut(
        has_power ? Remains::Everything : static_cast<Remains>(random_.below(kRemainsCount)),
        random_);
    if (const auto opened = storage::sqlite::open_database(store_.folder()); !opened)
        return say("the store does not open again: " + opened.error().detail);
    store_.reopen();
}

storage::VerifyReport RandomHistory::verify() {
    auto report = storage::verify_rows(*store_.connection, {.expected_head = head_});
    head_ = report.head;
    return report;
}

Result<storage::VerifyReport> RandomHistory::verify_file() {
    store_.store.reset();
    return storage::verify_store(store_.folder() / "store.db", {.expected_head = head_});
}

void RandomHistory::run_commands() {
    const std::string principal = kPrincipals[random_.below(2)];
    std::vector<Operation> operations;
    for (auto left = 1 + random_.below(3); left > 0; --left) operations.push_back(draw(principal));
    auto answers = store_.run_batch(operations, principal);
    auto ticket = store_.last_ticket() - operations.size();
    for (const auto& operation : operations) take(operation, principal, answers.at(++ticket));
}

Operation RandomHistory::draw(const std::string& principal) {
    if (payments_.empty()) return draw_create();
    const auto dice = random_.below(100);
    if (dice < 24) return draw_acquire();
    if (dice < 42) return draw_end(principal);
    if (dice < 50) return draw_create();
    if (dice < 60) return draw_move(Kind::Capture, principal);
    if (dice < 78) return draw_move(Kind::Refund, principal);
    if (dice < 82) return draw_move(Kind::Cancel, principal);
    auto repeat = draw_repeat(principal);
    return repeat ? *std::move(repeat) : draw_acquire();
}

std::string RandomHistory::draw_payment() { return payments_[random_.below(payments_.size())]; }

// Mostly one of the principal's own and the newest of these: the others are stale, as a rule.
const RandomHistory::Grant* RandomHistory::draw_grant(const std::string& principal) {
    if (grants_.empty()) return nullptr;
    if (random_.below(4) == 0) return &grants_[random_.below(grants_.size())];
    const auto newest = std::find_if(grants_.rbegin(), grants_.rend(), [&](const Grant& grant) {
        return grant.principal == principal && random_.below(3) > 0;
    });
    return newest == grants_.rend() ? nullptr : &*newest;
}

Operation RandomHistory::draw_acquire() {
    AcquireLock acquire{.locks = {*LockName::parse(lock_of(draw_payment()))},
                        .ttl = Duration(100 + below(5'000)),
                        .owner = random_.below(2) == 0 ? "first" : "second"};
    if (random_.below(4) == 0) {
        auto other = *LockName::parse(lock_of(draw_payment()));
        if (other != acquire.locks.front()) acquire.locks.push_back(std::move(other));
        std::ranges::sort(acquire.locks);
    }
    if (random_.below(12) == 0) acquire.claim = {LockMode::Shared, 1};
    if (random_.below(3) == 0)
        acquire.idempotency = idempotency("acquire-" + std::to_string(++last_name_));
    return acquire;
}

Operation RandomHistory::draw_create() {
    const auto name = std::to_string(++last_name_);
    CreatePayment create{.id = "pay_" + name,
                         .currency = random_.below(3) == 0 ? "JPY" : "EUR",
                         .amount_minor = 1 + below(1'000),
                         .capture = random_.below(2) == 0,
                         .reference = {},
                         .metadata_json = {},
                         .token = lockmgr::kNoToken,
                         .idempotency = idempotency("create-" + name)};
    if (random_.below(3) == 0) create.reference = "order-" + std::to_string(random_.below(30));
    return create;
}

Operation RandomHistory::draw_move(Kind kind, const std::string& principal) {
    const auto* grant = draw_grant(principal);
    MovePayment move{.kind = kind,
                     .payment_id = grant != nullptr ? grant->payment : draw_payment(),
                     .amount_minor = 1 + below(300),
                     .reason = {},
                     .token = testing::presented(1'000'000),
                     .idempotency = {}};
    if (grant != nullptr) move.token = testing::presented(grant->token);
    // Under the token of whoever, and to whichever payment, now and then.
    if (random_.below(10) == 0) move.payment_id = draw_payment();
    if (random_.below(4) == 0 || kind == Kind::Cancel) move.amount_minor.reset();
    move.idempotency = idempotency(principal + "-" + std::to_string(++last_name_));
    return move;
}

// A renewal, a release or a break.
Operation RandomHistory::draw_end(const std::string& principal) {
    const auto* grant = draw_grant(principal);
    if (grant == nullptr) return draw_acquire();
    const auto lease = *parse_uuid(grant->lease_id);
    const auto dice = random_.below(10);
    if (dice < 4)
        return storage::RenewLease{.lease_id = lease, .ttl = Duration(100 + below(5'000))};
    if (dice < 8) return storage::ReleaseLease{lease};
    return storage::BreakLock{.lock = *LockName::parse(lock_of(grant->payment)),
                              .seen_token = lockmgr::FencingToken(grant->token),
                              .reason = "stuck"};
}

// The same call, under the token it had or that of a successor; now and then another body.
std::optional<Operation> RandomHistory::draw_repeat(const std::string& principal) {
    if (asked_.empty()) return std::nullopt;
    const auto& [key, asked] = asked_[random_.below(asked_.size())];
    if (asked.principal != principal) return std::nullopt;
    auto again = asked.operation;
    if (const auto* grant = draw_grant(principal); grant != nullptr && random_.below(2) == 0)
        present(again, grant->token);
    if (random_.below(6) == 0) {
        if (auto* move = std::get_if<MovePayment>(&again)) {
            move->amount_minor = 7;
            move->idempotency = idempotency(key, "another body");
        }
    }
    return again;
}

}  // namespace fencegate::testing
