#include "storage/commands/grants.hpp"

#include "lockmgr/lease_rules.hpp"
#include "storage/commands/purpose.hpp"
#include "storage/commands/replay.hpp"
#include "storage/unit/views.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::storage {

using lockmgr::Fit;
using lockmgr::Lease;
using lockmgr::LeaseEnding;
using lockmgr::LeaseState;
using lockmgr::LockName;

namespace {

using Acquired = AcquireEvent::Outcome;

// Of a lease that ran out, up to its deadline: how late that was noticed is a figure of its own.
// TTLs lie on the bounds of the histogram's buckets, so what is a hair above, because its deadline
// counts from the end of a commit or because rows count whole milliseconds, would be told as up to
// two and a half times the TTL.
Seconds time_held(const Unit& unit, const Lease& lease, LeaseEnding ending, Seconds expiry_lag) {
    constexpr Seconds kRounding{.002};
    constexpr Seconds kCommit{.1};
    const Seconds held = unit.now - lease.held_since - expiry_lag;
    const Seconds ttl = lease.ttl;
    const bool is_whole_ttl =
        ending == LeaseEnding::Expired && held >= ttl - kRounding && held <= ttl + kCommit;
    return is_whole_ttl ? ttl : std::max(held, Seconds(0));
}

Error no_token_left() {
    return {ErrorCode::Internal,
            "All tokens of this store were issued, and none may be used twice.",
            {},
            -1};
}

void arm(const lockmgr::LockClasses& classes, lockmgr::LiveState& live, const Lease& lease,
         BootTime now) {
    const auto klass = classes.strictest(lease.locks);
    const auto renewals = lockmgr::renewals_at_grant(klass, now);
    live.grant(lease, lockmgr::cap_deadline(now + lease.ttl, renewals, klass));
    if (renewals) live.set_renewals(lease.token, renewals);
}

}  // namespace

const Lease* find_by_id(Unit& unit, const Uuid& id) {
    const auto token = lockmgr::token_of_lease_id(id);
    if (!token) return nullptr;
    const auto* lease = unit.leases.find(*token);
    return lease != nullptr && lease->id == id ? lease : nullptr;
}

Answer contradicted(Unit& unit, std::string_view rows, std::string_view memory) {
    ++unit.contradictions;
    return refusal({ErrorCode::Internal,
                    "The rows of the store say that the lock " + std::string(rows) +
                        ", and its memory that it " + std::string(memory) +
                        ". Nothing was changed. An operator should run `fencegate verify`.",
                    {},
                    -1});
}

LockNotice notice_of(const Unit& unit, LockNotice::Kind kind, const Lease& lease) {
    return {.kind = kind,
            .at = unit.wall,
            .locks = lease.locks,
            .token = lease.token,
            .principal = lease.principal,
            .owner = lease.owner,
            .ttl = lease.ttl};
}

bool write_grant(LeaseTable& leases, const Lease& lease) {
    std::vector<ChainHead> newest;
    newest.reserve(lease.locks.size());
    for (const auto& lock : lease.locks) {
        const auto& head = newest.emplace_back(leases.head(lock));
        if (head.token && !lockmgr::may_follow(head.state, head.mode, lease.claim.mode))
            return false;
    }
    for (const auto& head : newest) {
        if (head.token && head.state == LeaseState::Expired && leases.find(*head.token) != nullptr)
            leases.supersede(*head.token);
    }
    leases.grant(lease);
    return true;
}

Answer grant(Unit& unit, const Command& command, Duration ttl, Seconds waited) {
    const auto& acquire = std::get<AcquireLock>(command.operation);
    const auto token = unit.leases.next_token();
    if (!token) return refusal(no_token_left());
    Lease lease{.token = *token,
                .id = lockmgr::make_lease_id(unit.wall, *token, unit.random),
                .locks = acquire.locks,
                .claim = acquire.claim,
                .principal = command.principal,
                .owner = acquire.owner,
                .ttl = ttl,
                .metadata_json = acquire.metadata_json,
                .granted_at = unit.wall,
                .held_since = unit.now};
    if (!write_grant(unit.leases, lease)) return contradicted(unit, "is held", "is free");
    arm(unit.classes, unit.live, lease, unit.now);
    if (acquire.idempotency) remember_grant(unit, command, *acquire.idempotency, lease);
    note(unit, acquire.locks, Acquired::Granted, waited);
    unit.notices.push_back(notice_of(unit, LockNotice::Kind::Granted, lease));
    fulfil_purpose(unit, acquire, lease);

    Answer answer;
    answer.resource_id = to_string(lease.id);
    answer.fencing_token = *token;
    answer.body = lease_document(view_of(unit, std::move(lease)));
    return answer;
}

void end_lease(Unit& unit, const Lease& lease, LeaseEnding ending, Seconds expiry_lag,
               std::string reason) {
    const auto deadline = unit.live.expiries().deadline_of(lease.token);
    const Seconds remaining = Duration(deadline ? ms_between(unit.now, *deadline) : 0);
    unit.leases.end(lease.token, ending, unit.stamp(), reason);
    unit.live.end(lease);
    const auto held_for = time_held(unit, lease, ending, expiry_lag);
    for (const auto& lock : lease.locks) {
        const auto lock_class = unit.classes.index_of(lock);
        const auto lock_delay = unit.classes[lock_class].lock_delay;
        if (ending == LeaseEnding::Expired && lock_delay > Duration::zero())
            unit.live.rest(lock, unit.now + lock_delay);
        unit.events.emplace_back(LeaseEndEvent{.lock_class = lock_class,
                                               .ending = ending,
                                               .token = lease.token,
                                               .held = held_for,
                                               .ttl = lease.ttl,
                                               .remaining = remaining,
                                               .expiry_lag = expiry_lag});
        unit.freed.push_back(lock);
    }
    auto notice = notice_of(unit, LockNotice::Kind::Ended, lease);
    notice.ending = ending;
    notice.text = std::move(reason);
    unit.notices.push_back(std::move(notice));
}

void note(Unit& unit, const std::vector<LockName>& locks, AcquireEvent::Outcome outcome,
          Seconds waited) {
    const bool is_contended =
        outcome != Acquired::Denied && (outcome != Acquired::Granted || waited > Seconds(0));
    for (const auto& lock : locks) {
        unit.events.emplace_back(AcquireEvent{unit.classes.index_of(lock), outcome, waited});
        if (is_contended) unit.contentions.push_back({lock, waited});
    }
}

Answer deny(Unit& unit, const std::vector<LockName>& locks, Error error) {
    note(unit, locks, Acquired::Denied);
    return refusal(std::move(error));
}

bool arm_all(Standing& standing, std::span<const Lease> live, BootTime now) {
    for (const auto& lease : live) {
        if (standing.live.fit(lease.locks, lease.claim) != Fit::Fits) return false;
        arm(standing.classes, standing.live, lease, now);
        standing.live.commit();
    }
    return true;
}

}  // namespace fencegate::storage
