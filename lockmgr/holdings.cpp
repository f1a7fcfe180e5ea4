#include "lockmgr/holdings.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace fencegate::lockmgr {

void Holdings::add(const LockName& lock, FencingToken token, const Claim& claim) {
    FG_CHECK(fit(lock, claim) == Fit::Fits);
    auto& holding = holdings_[lock];
    holding.claim = claim;
    holding.tokens.insert(std::ranges::upper_bound(holding.tokens, token), token);
}

void Holdings::remove(const LockName& lock, FencingToken token) {
    const auto holding = holdings_.find(lock);
    FG_CHECK(holding != holdings_.end());
    auto& tokens = holding->second.tokens;
    const auto place = std::ranges::find(tokens, token);
    FG_CHECK(place != tokens.end());
    tokens.erase(place);
    if (tokens.empty()) holdings_.erase(holding);
}

Fit Holdings::fit(const LockName& lock, const Claim& claim) const {
    const auto* holding = find(lock);
    if (holding == nullptr) return Fit::Fits;
    const auto& held = holding->claim;
    const bool is_semaphore = held.mode == LockMode::Semaphore;
    if (is_semaphore != (claim.mode == LockMode::Semaphore)) return Fit::OtherKind;
    if (is_semaphore) {
        if (held.permits != claim.permits) return Fit::OtherKind;
        const auto taken = static_cast<std::int64_t>(holding->tokens.size());
        return taken < held.permits ? Fit::Fits : Fit::Busy;
    }
    const bool both_read = held.mode == LockMode::Shared && claim.mode == LockMode::Shared;
    return both_read ? Fit::Fits : Fit::Busy;
}

const Holding* Holdings::find(const LockName& lock) const {
    const auto holding = holdings_.find(lock);
    return holding == holdings_.end() ? nullptr : &holding->second;
}

}  // namespace fencegate::lockmgr
