// What a client asks next.
#include "tests/simulation/client.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/support/store_harness.hpp"

#include <algorithm>

namespace fencegate::simulation {
namespace {

using TokenKind = lockmgr::PresentedToken::Kind;
using MoveKind = storage::MovePayment::Kind;

constexpr std::string_view kPaymentLocks = "payments/";

lockmgr::PresentedToken present(std::int64_t token) { return {TokenKind::Present, token}; }

}  // namespace

std::string Client::any_of(const std::vector<std::string>& names) {
    return names[random_.below(names.size())];
}

storage::Operation Client::choose(Surroundings& world) {
    if (rolls(Kind::Zombie, settings_.zombie_chance) && !past_.empty()) {
        const auto& old = past_[random_.below(past_.size())];
        if (old.lock.starts_with(kPaymentLocks) && random_.below(4) != 0)
            return move(world, old.lock.substr(kPaymentLocks.size()), present(old.token));
        if (random_.below(2) == 0) return storage::ReleaseLease{old.lease_id};
        return renew(old);
    }
    if (rolls(Kind::Forge, 40)) return forge(world);
    if (rolls(Kind::Read, 80)) return read(world);
    if (rolls(Kind::Break, 15) && !world.known_grants.empty()) {
        const auto& seen = world.known_grants.back();
        return storage::BreakLock{*lockmgr::LockName::parse(seen.lock), seen.token, "stuck"};
    }
    return grant_ ? choose_as_holder(world) : choose_as_nobody(world);
}

storage::Operation Client::choose_as_nobody(Surroundings& world) {
    if (random_.below(40) == 0) return create(world, {});
    return acquire(world);
}

storage::Operation Client::choose_as_holder(Surroundings& world) {
    const auto token = present(grant_->token);
    if (rolls(Kind::Release, 250)) return storage::ReleaseLease{grant_->lease_id};
    if (rolls(Kind::Renew, 150)) return renew(*grant_);
    if (random_.below(30) == 0) return create(world, token);
    if (random_.below(40) == 0) return acquire(world);  // and forgets what it holds
    if (grant_->lock.starts_with(kPaymentLocks) && random_.below(20) != 0)
        return move(world, grant_->lock.substr(kPaymentLocks.size()), token);
    return move(world, any_of(world.payments), token);
}

std::optional<Duration> Client::ttl() {
    const auto dice = random_.below(100);
    if (dice < 3) return std::nullopt;
    if (dice < 5) return Duration(10);  // too short
    const bool is_long = settings_.has_long_leases && random_.below(2) == 0;
    return is_long ? Duration(1'000 + random_.below(20'000)) : Duration(100 + random_.below(2'500));
}

storage::Operation Client::acquire(Surroundings& world) {
    const auto lock = any_of(world.locks);
    storage::AcquireLock acquire{
        .locks = {*lockmgr::LockName::parse(lock)}, .ttl = ttl(), .owner = owner_};
    const auto wait = Duration(1 + random_.below(3'000));
    if (rolls(Kind::Wait, 600)) acquire.wait = wait;
    const auto key = new_key(world, lock);
    if (rolls(Kind::KeyedAcquire, 500)) acquire.idempotency = key;
    return acquire;
}

storage::Operation Client::renew(const Grant& grant) {
    storage::RenewLease renew{grant.lease_id, std::nullopt};
    if (random_.below(2) == 0) renew.ttl = ttl();
    return renew;
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
    switch (random_.below(4)) {
        case 0: return storage::ReadLock{*lockmgr::LockName::parse(any_of(world.locks))};
        case 1: return storage::ListRefunds{.payment_id = payment};
        case 2:
            if (!world.known_grants.empty())
                return storage::ReadLease{
                    world.known_grants[random_.below(world.known_grants.size())].lease_id};
            break;
        default: break;
    }
    return storage::ReadPayment{payment};
}

// Tokens and ids that are not this client's to use.
storage::Operation Client::forge(Surroundings& world) {
    Grant seen{.lock = any_of(world.locks), .token = 1, .lease_id = {}};
    if (!world.known_grants.empty())
        seen = world.known_grants[random_.below(world.known_grants.size())];
    auto payment = any_of(world.payments);
    if (seen.lock.starts_with(kPaymentLocks)) payment = seen.lock.substr(kPaymentLocks.size());
    switch (random_.below(8)) {
        case 0: return storage::ReleaseLease{seen.lease_id};
        case 1: return renew(seen);
        case 2: return move(world, payment, {TokenKind::Absent, 0});
        case 3: return move(world, payment, {TokenKind::Malformed, 0});
        case 4: return move(world, payment, present(lockmgr::kTokenMax));
        case 5: return move(world, payment, present(seen.token));
        default: break;
    }
    const auto newest = world.known_grants.empty() ? 0 : world.known_grants.back().token;
    return move(world, payment, present(newest + 1 + static_cast<std::int64_t>(random_.below(3))));
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
