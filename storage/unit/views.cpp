#include "storage/unit/views.hpp"

#include <algorithm>

namespace fencegate::storage {

using lockmgr::FencingToken;
using lockmgr::Lease;
using lockmgr::LeaseState;
using lockmgr::LockName;

LeaseView view_of(const Tables& tables, Lease lease, BootTime now) {
    std::optional<Duration> remaining;
    if (lease.state == LeaseState::Live) {
        const auto deadline = tables.live.expiries().deadline_of(lease.token);
        remaining = deadline ? Duration(ms_between(now, *deadline)) : lease.ttl;
    }
    return {.lease = std::move(lease), .remaining = remaining};
}

bool is_over(const Tables& tables, const Batch& batch, FencingToken token) {
    const auto deadline = tables.live.expiries().deadline_of(token);
    return deadline && *deadline <= batch.at;
}

Lease as_told(const Tables& tables, const Batch& batch, Lease lease) {
    if (lease.state != LeaseState::Live || !is_over(tables, batch, lease.token)) return lease;
    lease.state = LeaseState::Expired;
    lease.ended_at = batch.wall;
    lease.ended_since = batch.now;
    return lease;
}

double share_left(const Tables& tables, const Lease& lease, BootTime now) {
    const auto deadline = tables.live.expiries().deadline_of(lease.token);
    const Seconds left = Duration(deadline ? ms_between(now, *deadline) : 0);
    return std::clamp(left / Seconds(lease.ttl), 0., 1.);
}

std::optional<LeaseView> holder_of(Tables& tables, const LockName& lock, BootTime now) {
    const auto* holding = tables.live.holdings().find(lock);
    if (holding == nullptr) return std::nullopt;
    auto lease = tables.leases.find(holding->tokens.back());
    if (!lease) return std::nullopt;
    return view_of(tables, *std::move(lease), now);
}

LockView view_of(Tables& tables, const LockName& lock, BootTime now, std::size_t shown_max) {
    LockView view{.lock = lock};
    if (const auto* holding = tables.live.holdings().find(lock)) {
        view.holder_count = holding->tokens.size();
        for (const auto token : holding->tokens) {
            if (view.holders.size() == shown_max) break;
            if (auto lease = tables.leases.find(token))
                view.holders.push_back(view_of(tables, *std::move(lease), now));
        }
    }
    if (const auto until = tables.live.resting().deadline_of(lock))
        view.rests_for = Duration(ms_between(now, *until));
    const auto& waiters = tables.live.waiters();
    const auto& places = waiters.places(lock);
    view.waiter_count = waiters.waiting_for(lock);
    view.away_count = places.size() - view.waiter_count;
    for (const auto id : places) {
        if (view.line.size() == shown_max) break;
        PlaceView place{.waiter = waiters.find(id)};
        if (place.waiter->is_away())
            place.kept = Duration(ms_between(now, waiters.kept_until(*place.waiter)));
        view.line.push_back(place);
    }
    return view;
}

}  // namespace fencegate::storage
