#pragma once
// Holdings: which live leases hold each lock, and whether another one fits beside them.
// Owns who holds; refuses to own who waits (waiting_lines.hpp) and when a lease runs out.
// Invariant 1: a lock held exclusively has one holder; a shared one has readers only; a semaphore
// has at most as many holders as permits.
// Cost: O(1) for everything but a lock's own holders.
// Thread rule: belongs to one thread.

#include "lockmgr/lease.hpp"

#include <cstddef>
#include <unordered_map>
#include <vector>

namespace fencegate::lockmgr {

struct Holding {
    Claim claim;
    std::vector<FencingToken> tokens;  // rising
};

enum class Fit : std::uint8_t {
    Fits,
    Busy,       // not now
    OtherKind,  // in use as a lock and asked for as a semaphore, or the other way round, or the
                // numbers of permits differ: one of the programs is wrong
};

class Holdings {
public:
    // REQUIRES: it fits.
    void add(const LockName& lock, FencingToken token, const Claim& claim);
    // REQUIRES: the lease holds the lock.
    void remove(const LockName& lock, FencingToken token);

    [[nodiscard]] Fit fit(const LockName& lock, const Claim& claim) const;
    // nullptr: free.
    [[nodiscard]] const Holding* find(const LockName& lock) const;
    [[nodiscard]] std::size_t locks() const noexcept { return holdings_.size(); }

private:
    std::unordered_map<LockName, Holding> holdings_;  // none without a token
};

}  // namespace fencegate::lockmgr
