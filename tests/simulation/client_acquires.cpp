// What a client takes locks for, and how many of which kind.
#include "tests/simulation/client.hpp"
#include "tests/simulation/trace.hpp"

#include <algorithm>

namespace fencegate::simulation {

std::optional<Duration> Client::ttl() {
    const auto dice = random_.below(100);
    if (dice < 3) return std::nullopt;
    if (dice < 5) return Duration(10);  // too short
    if (settings_.hour_chance > 0 && dice < 25)
        return std::chrono::hours(1 + random_.below(8));  // outlives what is forgotten meanwhile
    const bool is_long = settings_.has_long_leases && random_.below(2) == 0;
    return is_long ? Duration(1'000 + random_.below(20'000)) : Duration(100 + random_.below(2'500));
}

storage::Operation Client::acquire(Surroundings& world) {
    storage::AcquireLock acquire{.locks = {}, .ttl = ttl(), .owner = owner_};
    if (rolls(Kind::Run, settings_.run_chance)) {
        take_run(world, acquire);
    } else if (rolls(Kind::Election, settings_.election_chance)) {
        take_election(world, acquire);
    } else if (rolls(Kind::Semaphore, settings_.semaphore_chance)) {
        take_semaphore(world, acquire);
    } else {
        take_locks(world, acquire);
    }
    std::ranges::sort(acquire.locks);
    const auto repeated = std::ranges::unique(acquire.locks);
    acquire.locks.erase(repeated.begin(), repeated.end());
    const auto wait = Duration(1 + random_.below(3'000));
    if (rolls(Kind::Wait, 600)) acquire.wait = wait;
    const auto body = text_of(text_of_locks(locks_of(acquire)), " ",
                              lock_mode_name(acquire.claim.mode), " ", acquire.claim.permits);
    const auto key = new_key(world, body);
    if (rolls(Kind::KeyedAcquire, 500)) acquire.idempotency = key;
    return acquire;
}

void Client::take_locks(const Surroundings& world, storage::AcquireLock& acquire) {
    const auto more = rolls(Kind::Several, settings_.several_chance) ? 1 + random_.below(2) : 0;
    for (auto left = more + 1; left > 0; --left) {
        // Sometimes what others take as a pool, a leader's or a run's.
        const auto& others = random_.below(2) == 0 ? world.pools : world.role_locks;
        acquire.locks.push_back(any_lock_of(random_.below(15) == 0 ? others : world.locks));
    }
    if (rolls(Kind::Shared, settings_.shared_chance)) acquire.claim.mode = LockMode::Shared;
}

void Client::take_semaphore(const Surroundings& world, storage::AcquireLock& acquire) {
    const bool is_odd = random_.below(20) == 0;
    acquire.claim = {LockMode::Semaphore, settings_.permits + (is_odd ? 1 : 0)};
    acquire.locks.push_back(any_lock_of(random_.below(25) == 0 ? world.locks : world.pools));
    if (rolls(Kind::Several, settings_.several_chance))
        acquire.locks.push_back(any_lock_of(world.pools));
}

void Client::take_run(const Surroundings& world, storage::AcquireLock& acquire) {
    storage::ClaimRun claim{.job = "nightly", .slot = any_slot(world), .start_within = {}};
    if (random_.below(8) == 0) claim.start_within = Duration(random_.below(300'000));
    acquire.locks.push_back(*lockmgr::LockName::parse(run_lock(claim.job, claim.slot)));
    acquire.purpose = claim;
}

void Client::take_election(const Surroundings& world, storage::AcquireLock& acquire) {
    storage::Campaign campaign{.election = any_of(world.elections), .value_json = {}};
    acquire.locks.push_back(*lockmgr::LockName::parse("elections/" + campaign.election));
    if (random_.below(2) == 0) campaign.value_json = new_value(world);
    if (rolls(Kind::Several, settings_.several_chance))
        acquire.locks.push_back(any_lock_of(world.locks));
    acquire.purpose = campaign;
}

lockmgr::RunSlot Client::any_slot(const Surroundings& world) {
    return world.slots[random_.below(world.slots.size())];
}

}  // namespace fencegate::simulation
