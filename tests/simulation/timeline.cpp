#include "tests/simulation/timeline.hpp"

#include <algorithm>

namespace fencegate::simulation {

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

std::string key_of(const Command& command, const storage::Idempotency& idempotency) {
    return command.principal + " " + idempotency.key;
}

bool HeldLease::covers(std::string_view lock) const { return std::ranges::count(locks, lock) > 0; }

HeldLease* Timeline::find(std::int64_t token) {
    const auto found = leases.find(token);
    return found == leases.end() ? nullptr : &found->second;
}

HeldLease* Timeline::find_id(const std::string& lease_id) {
    const auto found = std::ranges::find_if(
        leases, [&](const auto& entry) { return entry.second.id == lease_id; });
    return found == leases.end() ? nullptr : &found->second;
}

const HeldLease* Timeline::live_lease_of(const std::string& lock) const {
    for (const auto& [token, lease] : leases) {
        if (lease.is_live() && lease.covers(lock)) return &lease;
    }
    return nullptr;
}

bool Timeline::is_free(const LockSet& locks) const {
    if (std::ranges::any_of(locks, [&](const auto& lock) { return rests.contains(lock); }))
        return false;
    return std::ranges::none_of(leases, [&](const auto& entry) {
        return entry.second.is_live() && overlap(entry.second.locks, locks);
    });
}

bool Timeline::is_wanted(const LockSet& locks, std::size_t before) const {
    const auto end = waiters.begin() + static_cast<std::ptrdiff_t>(before);
    return std::any_of(waiters.begin(), end,
                       [&](const WaitingAcquire& waiter) { return overlap(waiter.locks, locks); });
}

std::size_t Timeline::waiting_for(const LockSet& locks) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        waiters, [&](const WaitingAcquire& waiter) { return overlap(waiter.locks, locks); }));
}

const WaitingAcquire* Timeline::find_waiter(Ticket ticket) const {
    const auto found = std::ranges::find(waiters, ticket, &WaitingAcquire::ticket);
    return found == waiters.end() ? nullptr : &*found;
}

const WaitingAcquire* Timeline::find_waiting_key(const std::string& key) const {
    const auto found = std::ranges::find_if(waiters, [&](const WaitingAcquire& waiter) {
        const auto& idempotency = waiter.acquire().idempotency;
        return idempotency && key_of(waiter.command, *idempotency) == key;
    });
    return found == waiters.end() ? nullptr : &*found;
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

void Timeline::restart(BootTime now) {
    waiters.clear();
    rests.clear();
    is_draining = false;
    for (auto& [token, lease] : leases) lease.deadline = now + lease.ttl;
}

void Timeline::restore() {
    waiters.clear();
    rests.clear();
    for (auto& [token, lease] : leases) {
        if (lease.state == LeaseState::Live) lease.state = LeaseState::Broken;
        if (lease.state == LeaseState::Expired) lease.state = LeaseState::Superseded;
    }
}

}  // namespace fencegate::simulation
