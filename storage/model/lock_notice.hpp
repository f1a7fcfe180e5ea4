#pragma once
// LockNotice: one thing that happened to a lock, told after the commit that made it true. What
// watchers see. Counters are StoreEvents: those are many and small and name no lock.
// Thread rule: a plain value.

#include "base/clock.hpp"
#include "base/result.hpp"
#include "lockmgr/lease.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fencegate::storage {

struct LockNotice {
    enum class Kind : std::uint8_t {
        Granted,
        Renewed,
        Ended,      // as `ending` says; of a break, `text` is the reason
        Refused,    // a write under `token` was refused by the fence; `refusal` says how
        Proclaimed  // the leader of an election set its value: `text`, a JSON object
    };
    Kind kind = Kind::Granted;
    WallTime at{};  // for people
    std::vector<lockmgr::LockName> locks;
    lockmgr::FencingToken token;
    std::string principal{};  // whose lease it is; of a refusal, who asked
    std::string owner{};
    Duration ttl{0};
    lockmgr::LeaseEnding ending{};  // of an end only
    // Of a refusal only.
    std::optional<ErrorCode> refusal{};
    std::optional<lockmgr::FencingToken> current_token{};  // nullopt: nobody holds the lock
    Duration late{0};                                      // how long ago the lease had ended
    std::string text{};
};

// The leader that holds `lease` said `value_json`; told to who watches `locks`.
[[nodiscard]] inline LockNotice proclaimed(const lockmgr::Lease& lease,
                                           std::vector<lockmgr::LockName> locks,
                                           const std::string& value_json, WallTime now) {
    return {.kind = LockNotice::Kind::Proclaimed,
            .at = now,
            .locks = std::move(locks),
            .token = lease.token,
            .principal = lease.principal,
            .owner = lease.owner,
            .text = value_json};
}

}  // namespace fencegate::storage
