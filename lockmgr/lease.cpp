#include "lockmgr/lease.hpp"

#include <algorithm>

namespace fencegate::lockmgr {

namespace {
constexpr std::size_t kTokenBytesFrom = 9;  // the last seven bytes hold 56 bits, the token 53
}

std::string_view lock_mode_name(LockMode mode) noexcept {
    switch (mode) {
        case LockMode::Exclusive: return "exclusive";
        case LockMode::Shared: return "shared";
        case LockMode::Semaphore: return "semaphore";
    }
    return "exclusive";
}

std::string_view lease_state_name(LeaseState state) noexcept {
    switch (state) {
        case LeaseState::Live: return "live";
        case LeaseState::Expired: return "expired";
        case LeaseState::Superseded: return "superseded";
        case LeaseState::Released: return "released";
        case LeaseState::Broken: return "broken";
    }
    return "live";
}

LeaseState state_after(LeaseEnding ending) noexcept {
    switch (ending) {
        case LeaseEnding::Released: return LeaseState::Released;
        case LeaseEnding::Expired: return LeaseState::Expired;
        case LeaseEnding::Broken: return LeaseState::Broken;
    }
    return LeaseState::Released;
}

std::string_view lease_ending_name(LeaseEnding ending) noexcept {
    return lease_state_name(state_after(ending));
}

bool Lease::covers(const LockName& lock) const noexcept {
    return std::ranges::find(locks, lock) != locks.end();
}

Uuid make_lease_id(WallTime now, FencingToken token, Random& random) {
    auto id = uuid_v7(now, random);
    auto bits = static_cast<std::uint64_t>(token.value());
    for (std::size_t at = id.bytes.size(); at-- > kTokenBytesFrom;) {
        id.bytes[at] = static_cast<std::uint8_t>(bits);
        bits >>= 8;
    }
    return id;
}

std::optional<FencingToken> token_of_lease_id(const Uuid& id) noexcept {
    std::int64_t value = 0;
    for (std::size_t at = kTokenBytesFrom; at < id.bytes.size(); ++at) {
        value = (value << 8) | id.bytes[at];
    }
    if (value < 1 || value > kTokenMax) return std::nullopt;
    return FencingToken(value);
}

}  // namespace fencegate::lockmgr
