#include "tests/simulation/timeline.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::simulation {
namespace {

std::size_t count_class(const LockSet& locks, std::string_view klass) {
    return static_cast<std::size_t>(std::ranges::count(locks, klass, class_of));
}

Fits fit_beside(const HeldLease& holder, std::size_t holders, const Claim& claim) {
    const bool is_semaphore = holder.claim.mode == LockMode::Semaphore;
    if (is_semaphore != (claim.mode == LockMode::Semaphore)) return Fits::AsAnotherKind;
    if (is_semaphore) {
        if (holder.claim.permits != claim.permits) return Fits::AsAnotherKind;
        return holders < static_cast<std::size_t>(claim.permits) ? Fits::Yes : Fits::NotNow;
    }
    const bool is_alone =
        holder.claim.mode == LockMode::Exclusive || claim.mode == LockMode::Exclusive;
    return is_alone ? Fits::NotNow : Fits::Yes;
}

bool is_under(const WaitingAcquire& waiter, const std::string& key) {
    const auto& idempotency = waiter.acquire().idempotency;
    return idempotency && key_of(waiter.command, *idempotency) == key;
}

}  // namespace

LockSet locks_of(const storage::AcquireLock& acquire) {
    LockSet locks;
    for (const auto& lock : acquire.locks) locks.push_back(lock.value());
    return locks;
}

bool overlap(const LockSet& left, const LockSet& right) {
    return std::ranges::any_of(
        left, [&](const std::string& lock) { return std::ranges::count(right, lock) > 0; });
}

std::string text_of_locks(const LockSet& locks) {
    std::string text;
    for (const auto& lock : locks) text += (text.empty() ? "" : "+") + lock;
    return text;
}

std::string run_lock(const std::string& job, const lockmgr::RunSlot& slot) {
    return "runs/" + job + "/" + slot.text();
}

std::string key_of(const Command& command, const storage::Idempotency& idempotency) {
    return command.principal + " " + idempotency.key;
}

std::string_view class_of(std::string_view lock) { return lock.substr(0, lock.find('/')); }

bool HeldLease::covers(std::string_view lock) const { return std::ranges::count(locks, lock) > 0; }

BootTime HeldLease::cap(BootTime wished) const {
    return max_hold == Duration::zero() ? wished : std::min(wished, held_since + max_hold);
}

HeldLease* Timeline::find(std::int64_t token) {
    const auto found = leases.find(token);
    return found == leases.end() ? nullptr : &found->second;
}

HeldLease* Timeline::find_id(const std::string& lease_id) {
    const auto found = std::ranges::find_if(
        leases, [&](const auto& entry) { return entry.second.id == lease_id; });
    return found == leases.end() ? nullptr : &found->second;
}

std::vector<const HeldLease*> Timeline::holders_of(const std::string& lock) const {
    std::vector<const HeldLease*> holders;
    for (const auto& [token, lease] : leases) {
        if (lease.is_live() && lease.covers(lock)) holders.push_back(&lease);
    }
    return holders;
}

const HeldLease* Timeline::holder_of(const std::string& lock) const {
    const auto holders = holders_of(lock);
    return holders.empty() ? nullptr : holders.back();
}

Fits Timeline::fit(const LockSet& locks, const Claim& claim) const {
    auto worst = Fits::Yes;
    for (const auto& lock : locks) {
        const auto holders = holders_of(lock);
        auto here = holders.empty() ? Fits::Yes : fit_beside(*holders[0], holders.size(), claim);
        if (rests.contains(lock)) here = Fits::NotNow;
        worst = std::max(worst, here);
    }
    return worst;
}

bool Timeline::is_wanted(const LockSet& locks, std::size_t before) const {
    const auto end = waiters.begin() + static_cast<std::ptrdiff_t>(before);
    return std::any_of(waiters.begin(), end,
                       [&](const WaitingAcquire& waiter) { return overlap(waiter.locks, locks); });
}

std::size_t Timeline::waiting_for(const std::string& lock) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        waiters, [&](const WaitingAcquire& waiter) { return overlap(waiter.locks, {lock}); }));
}

const WaitingAcquire* Timeline::find_waiter(Ticket ticket) const {
    const auto found = std::ranges::find(waiters, ticket, &WaitingAcquire::ticket);
    return found == waiters.end() ? nullptr : &*found;
}

const WaitingAcquire* Timeline::find_waiting_key(const std::string& key) const {
    const auto found = std::ranges::find_if(
        waiters, [&](const WaitingAcquire& waiter) { return is_under(waiter, key); });
    return found == waiters.end() ? nullptr : &*found;
}

const KeptPlace* Timeline::find_place(const std::string& key) const {
    const auto found = std::ranges::find_if(
        places, [&](const KeptPlace& place) { return is_under(place.waiter, key); });
    return found == places.end() ? nullptr : &*found;
}

std::optional<WaitingAcquire> Timeline::take_place(const std::string& key, BootTime now) {
    const auto found = std::ranges::find_if(
        places, [&](const KeptPlace& place) { return is_under(place.waiter, key); });
    if (found == places.end()) return std::nullopt;
    auto place = std::move(*found);
    places.erase(found);
    if (place.until <= now) return std::nullopt;
    ++returns;
    return place.waiter;
}

void Timeline::forget_places(BootTime now) {
    std::erase_if(places, [&](const KeptPlace& place) { return place.until <= now; });
}

std::size_t Timeline::waiting_before(std::uint64_t place) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        waiters, [&](const WaitingAcquire& waiter) { return waiter.place < place; }));
}

std::size_t Timeline::places_before(const std::string& lock, std::uint64_t place) const {
    const auto is_before = [&](const WaitingAcquire& waiter) {
        return waiter.place < place && overlap(waiter.locks, {lock});
    };
    return static_cast<std::size_t>(std::ranges::count_if(waiters, is_before) +
                                    std::ranges::count_if(places, is_before, &KeptPlace::waiter));
}

std::size_t Timeline::held_by(const std::string& principal, std::string_view klass) const {
    std::size_t count = 0;
    for (const auto& [token, lease] : leases) {
        if (lease.is_live() && lease.principal == principal)
            count += count_class(lease.locks, klass);
    }
    return count;
}

std::size_t Timeline::waited_for_by(const std::string& principal, std::string_view klass) const {
    std::size_t count = 0;
    for (const auto& waiter : waiters) {
        if (waiter.command.principal == principal) count += count_class(waiter.locks, klass);
    }
    for (const auto& [waiter, until] : places) {
        if (waiter.command.principal == principal) count += count_class(waiter.locks, klass);
    }
    return count;
}

std::optional<BootTime> Timeline::next_deadline() const {
    std::optional<BootTime> next;
    const auto note = [&](BootTime deadline) {
        next = std::min(next.value_or(deadline), deadline);
    };
    for (const auto& [token, lease] : leases) {
        if (lease.is_live()) note(lease.deadline);
    }
    for (const auto& waiter : waiters) note(waiter.deadline);
    for (const auto& [lock, until] : rests) note(until);
    return next;
}

void Timeline::postpone(BootTime::duration span) {
    for (auto& [token, lease] : leases) lease.deadline += span;
    for (auto& [lock, until] : rests) until += span;
    for (auto& place : places) place.until += span;
}

void Timeline::start_clocks(BootTime::duration span, BootTime::duration stall) {
    for (auto& [token, lease] : leases) {
        if (std::exchange(lease.is_armed, false)) lease.deadline += span - stall;
    }
    postpone(stall);
}

// The process counted renewals, progress and rests; the next one counts anew.
void Timeline::restart(BootTime now) {
    waiters.clear();
    places.clear();
    rests.clear();
    is_draining = false;
    for (auto& [token, lease] : leases) {
        lease.is_armed = false;
        lease.held_since = now;
        lease.deadline = lease.cap(now + lease.ttl);
        lease.progress.reset();
        lease.stalled = 0;
    }
}

void Timeline::restore() {
    waiters.clear();
    places.clear();
    rests.clear();
    for (auto& [token, lease] : leases) {
        if (lease.state == LeaseState::Live) {
            lease.state = LeaseState::Broken;
            lease.ended_hour = hour;
        }
        if (lease.state == LeaseState::Expired) lease.state = LeaseState::Superseded;
    }
}

}  // namespace fencegate::simulation
