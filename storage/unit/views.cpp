#include "storage/unit/views.hpp"

#include <algorithm>

namespace fencegate::storage {

using lockmgr::FencingToken;
using lockmgr::Lease;
using lockmgr::LeaseState;
using lockmgr::LockName;

LeaseView view_of(const Unit& unit, Lease lease) {
    std::optional<Duration> remaining;
    if (lease.state == LeaseState::Live) {
        const auto deadline = unit.live.expiries().deadline_of(lease.token);
        remaining = deadline ? Duration(ms_between(unit.now, *deadline)) : lease.ttl;
    }
    return {.lease = std::move(lease), .remaining = remaining};
}

bool is_over(const Unit& unit, FencingToken token) {
    const auto deadline = unit.live.expiries().deadline_of(token);
    return deadline && *deadline <= unit.at;
}

Lease as_told(const Unit& unit, Lease lease) {
    if (lease.state != LeaseState::Live || !is_over(unit, lease.token)) return lease;
    lease.state = LeaseState::Expired;
    lease.ended_at = unit.wall;
    lease.ended_since = unit.now;
    return lease;
}

double share_left(const Unit& unit, const Lease& lease) {
    const auto deadline = unit.live.expiries().deadline_of(lease.token);
    const Seconds left = Duration(deadline ? ms_between(unit.now, *deadline) : 0);
    return std::clamp(left / Seconds(lease.ttl), 0., 1.);
}

std::optional<LeaseView> holder_of(Unit& unit, const LockName& lock) {
    const auto* holding = unit.live.holdings().find(lock);
    if (holding == nullptr) return std::nullopt;
    const auto* lease = unit.leases.find(holding->tokens.back());
    if (lease == nullptr) return std::nullopt;
    return view_of(unit, *lease);
}

LockView view_of(Unit& unit, const LockName& lock, std::size_t shown_max) {
    LockView view{.lock = lock};
    if (const auto* holding = unit.live.holdings().find(lock)) {
        view.holder_count = holding->tokens.size();
        for (const auto token : holding->tokens) {
            if (view.holders.size() == shown_max) break;
            if (const auto* lease = unit.leases.find(token))
                view.holders.push_back(view_of(unit, *lease));
        }
    }
    if (const auto until = unit.live.resting().deadline_of(lock))
        view.rests_for = Duration(ms_between(unit.now, *until));
    const auto& waiters = unit.live.waiters();
    const auto& places = waiters.places(lock);
    view.waiter_count = waiters.waiting_for(lock);
    view.away_count = places.size() - view.waiter_count;
    for (const auto id : places) {
        if (view.line.size() == shown_max) break;
        PlaceView place{.waiter = waiters.find(id)};
        if (place.waiter->is_away())
            place.kept = Duration(ms_between(unit.now, waiters.kept_until(*place.waiter)));
        view.line.push_back(place);
    }
    return view;
}

}  // namespace fencegate::storage
