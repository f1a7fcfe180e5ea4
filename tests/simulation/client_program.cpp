// What a client asks next.
#include "storage/model/operation.hpp"
#include "tests/simulation/client.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <algorithm>

namespace fencegate::simulation {
namespace {

using lockmgr::FencingToken;
using lockmgr::TokenFault;
using testing::presented;
using MoveKind = storage::MovePayment::Kind;

constexpr std::string_view kPaymentLocks = "payments/";
constexpr std::string_view kRunLocks = "runs/nightly/";

// What a key stands for: all but the token. Nothing for what has a key anyway, or never one.
std::string what_is_asked(const storage::Operation& operation) {
    if (const auto* renew = std::get_if<storage::RenewLease>(&operation))
        return text_of("renew ", to_string(renew->lease_id), " ",
                       renew->ttl.value_or(Duration(-1)).count(), " ",
                       renew->progress.value_or(-1));
    if (const auto* release = std::get_if<storage::ReleaseLease>(&operation))
        return text_of("release ", to_string(release->lease_id));
    if (const auto* proclaim = std::get_if<storage::Proclaim>(&operation))
        return text_of("proclaim ", proclaim->election, " ", proclaim->value_json);
    if (const auto* resign = std::get_if<storage::Resign>(&operation))
        return text_of("resign ", resign->election);
    if (const auto* finish = std::get_if<storage::FinishRun>(&operation))
        return text_of("finish ", finish->slot.text(), finish->is_done ? " done " : " failed ",
                       finish->result);
    return {};
}

}  // namespace

std::string Client::any_of(const std::vector<std::string>& names) {
    return names[random_.below(names.size())];
}

lockmgr::LockName Client::any_lock_of(const std::vector<std::string>& names) {
    return *lockmgr::LockName::parse(any_of(names));
}

storage::Operation Client::choose(Surroundings& world) {
    if (rolls(Kind::Zombie, settings_.zombie_chance) && !past_.empty()) {
        const auto old = past_[random_.below(past_.size())];
        if (random_.below(4) != 0) return write_under(world, old);
        if (random_.below(2) == 0) return storage::ReleaseLease{old.lease_id};
        return renew(old);
    }
    if (rolls(Kind::Forge, 40)) return forge(world);
    if (rolls(Kind::Read, 80)) return read(world);
    if (rolls(Kind::Break, 15) && !world.known_grants.empty()) {
        const auto newest = world.known_grants.size() - 1;
        const auto back = random_.below(std::min<std::size_t>(3, newest + 1));
        const auto& seen = world.known_grants[newest - back];
        return storage::BreakLock{any_lock_of(seen.locks), FencingToken(seen.token), "stuck"};
    }
    return grant_ ? choose_as_holder(world) : choose_as_nobody(world);
}

storage::Operation Client::choose_as_nobody(Surroundings& world) {
    if (random_.below(40) == 0) return create(world, lockmgr::kNoToken);
    return acquire(world);
}

storage::Operation Client::choose_as_holder(Surroundings& world) {
    if (rolls(Kind::Release, 200)) return storage::ReleaseLease{grant_->lease_id};
    if (rolls(Kind::Renew, settings_.renew_chance)) return renew(*grant_);
    if (random_.below(30) == 0) return create(world, presented(grant_->token));
    if (random_.below(40) == 0) return acquire(world);  // and forgets what it holds
    return write_under(world, *grant_);
}

// What the lease was taken for, mostly.
storage::Operation Client::write_under(Surroundings& world, const Grant& grant) {
    const auto token = presented(grant.token);
    if (grant.run && random_.below(3) != 0) return finish(grant.run->job, grant.run->slot, token);
    if (!grant.election.empty() && random_.below(3) != 0) {
        if (random_.below(5) == 0) return storage::Resign{grant.election, token};
        return storage::Proclaim{grant.election, new_value(world), token};
    }
    const auto lock = any_of(grant.locks);
    // Who took the lock of a run without claiming it may think that it did.
    if (!grant.run && lock.starts_with(kRunLocks))
        return finish("nightly", *lockmgr::RunSlot::parse(lock.substr(kRunLocks.size())), token);
    const bool is_odd = random_.below(20) == 0;
    if (lock.starts_with(kPaymentLocks) && !is_odd)
        return move(world, lock.substr(kPaymentLocks.size()), token);
    if (is_odd) return move(world, any_of(world.payments), token);
    if (random_.below(4) == 0)
        return storage::VerifyFence{any_lock_of(grant.locks), FencingToken(grant.token)};
    return storage::ReleaseLease{grant.lease_id};
}

storage::Operation Client::renew(const Grant& grant) {
    storage::RenewLease renew{.lease_id = grant.lease_id};
    if (random_.below(2) == 0) renew.ttl = ttl();
    if (random_.below(3) != 0) renew.progress = grant.renewals;
    return renew;
}

storage::FinishRun Client::finish(const std::string& job, const lockmgr::RunSlot& slot,
                                  lockmgr::PresentedToken token) {
    const bool is_done = random_.below(2) == 0;
    return {.job = job,
            .slot = slot,
            .is_done = is_done,
            .result = text_of(owner_, " under ", testing::number_of(token)),
            .token = token};
}

std::optional<std::int64_t> Client::amount() {
    const auto dice = random_.below(100);
    if (dice < 3) return std::nullopt;
    if (dice < 5) return 1'000'000;
    if (dice < 6) return 0;
    return 1 + static_cast<std::int64_t>(random_.below(90));
}

storage::Operation Client::move(Surroundings& world, const std::string& payment,
                                lockmgr::PresentedToken token) {
    storage::MovePayment move{.kind = MoveKind::Refund,
                              .payment_id = payment,
                              .amount_minor = amount(),
                              .reason = {},
                              .token = token,
                              .idempotency = {}};
    const auto other = random_.below(2) == 0 ? MoveKind::Capture : MoveKind::Cancel;
    if (rolls(Kind::Capture, 150)) move.kind = other;
    const auto body =
        text_of(static_cast<int>(move.kind), " ", payment, " ", move.amount_minor.value_or(-1));
    move.idempotency = new_key(world, body);
    move.reason = move.idempotency.key;
    return move;
}

storage::Operation Client::create(Surroundings& world, lockmgr::PresentedToken token) {
    storage::CreatePayment create{
        .id = any_of(world.payments),
        .currency = "EUR",
        .amount_minor = 500 + static_cast<std::int64_t>(random_.below(5'000)),
        .capture = random_.below(4) != 0,
        .reference = {},
        .metadata_json = {},
        .token = token,
        .idempotency = {}};
    if (world.payments.size() < settings_.payments + 2) {
        create.id = text_of("pay_", world.payments.size() + 1);
        world.payments.push_back(create.id);
    }
    create.idempotency = new_key(world, "create " + create.id);
    return create;
}

storage::Operation Client::read(Surroundings& world) {
    const auto payment = any_of(world.payments);
    const auto lock = any_lock_of(random_.below(3) == 0 ? world.pools : world.locks);
    const auto seen = known_grant(world);
    switch (random_.below(10)) {
        case 0: return storage::ReadLock{lock};
        case 1: return storage::ListRefunds{.payment_id = payment};
        case 2: return storage::ReadLease{seen.lease_id};
        case 3: return storage::ListLocks{.prefix = {}, .after = {}, .limit = 100};
        case 4: return storage::ReadHistory{.lock = lock};
        case 5: return storage::VerifyFence{any_lock_of(seen.locks), FencingToken(seen.token)};
        case 6: return storage::FindDeadlocks{};
        case 7: return storage::ReadElection{any_of(world.elections)};
        case 8: return storage::ReadRun{"nightly", any_slot(world)};
        default: return storage::ReadPayment{payment};
    }
}

Grant Client::known_grant(const Surroundings& world) {
    if (world.known_grants.empty())
        return {.locks = {world.locks.front()}, .token = 1, .run = {}, .election = {}};
    return world.known_grants[random_.below(world.known_grants.size())];
}

// Tokens and ids that are not this client's to use.
storage::Operation Client::forge(Surroundings& world) {
    const auto seen = known_grant(world);
    auto payment = any_of(world.payments);
    const auto& lock = seen.locks.front();
    if (lock.starts_with(kPaymentLocks)) payment = lock.substr(kPaymentLocks.size());
    switch (random_.below(10)) {
        case 0: return storage::ReleaseLease{seen.lease_id};
        case 1: return renew(seen);
        case 2: return move(world, payment, lockmgr::kNoToken);
        case 3: return move(world, payment, std::unexpected(TokenFault::Malformed));
        case 4: return move(world, payment, presented(lockmgr::kTokenMax));
        case 5: return move(world, payment, presented(seen.token));
        case 6: return finish("nightly", any_slot(world), presented(seen.token));
        case 7:
            return storage::Proclaim{any_of(world.elections), new_value(world),
                                     presented(seen.token)};
        default: break;
    }
    const auto newest = world.known_grants.empty() ? 0 : world.known_grants.back().token;
    return move(world, payment,
                presented(newest + 1 + static_cast<std::int64_t>(random_.below(3))));
}

std::string Client::new_value(const Surroundings& world) {
    return text_of("\"", owner_, " ", world.last_call, "\"");
}

// Of a break, which is an administrator's, nothing is repeated.
void Client::key(Surroundings& world, storage::Operation& operation) {
    const auto body = what_is_asked(operation);
    if (body.empty() || !rolls(Kind::KeyedWrite, 500)) return;
    attach(operation, new_key(world, body));
}

storage::Idempotency Client::new_key(Surroundings& world, std::string_view body) {
    auto key = text_of("k", world.last_call + 1, "-", index_);
    if (rolls(Kind::ReusedKey, 20) && !used_keys_.empty())
        key = used_keys_[random_.below(used_keys_.size())];
    auto made = testing::idempotency(principal_ + " " + key, std::string(body) + principal_);
    made.key = key;
    return made;
}

}  // namespace fencegate::simulation
