#pragma once
// LiveState: what a lock manager knows beside the rows: who holds each lock, deadlines of live
// leases, the lines of waiters and the places of those who are away, locks that rest after an
// expiry, and how renewals went. It changes with the rows, so it is transactional like them: every
// change is remembered until commit(), and rollback() takes the changes back, newest first. Without
// that, a batch that hits a full disk would leave a lock free in the rows and taken in memory.
// Invariant: after rollback() the state equals the state at the last commit().
// Thread rule: belongs to one thread.

#include "lockmgr/deadline_queue.hpp"
#include "lockmgr/holdings.hpp"
#include "lockmgr/renewal.hpp"
#include "lockmgr/usage.hpp"
#include "lockmgr/waiting_lines.hpp"

#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

namespace fencegate::lockmgr {

class LiveState {
public:
    // `classes` outlives this.
    LiveState(WaitLimits limits, const LockClasses& classes) : waiters_(limits), usage_(classes) {}

    // A grant and the end of one, in whatever way. REQUIRES: it fits; it is live.
    void grant(const Lease& lease, BootTime deadline);
    void end(const Lease& lease);
    void arm(FencingToken token, BootTime deadline);
    // nullopt: the lease is renewed without any special rule.
    void set_renewals(FencingToken token, const std::optional<Renewals>& renewals);

    // REQUIRES: waiters().has_room(), or it was there before.
    void join(Waiter waiter);
    [[nodiscard]] std::optional<Waiter> remove(WaiterId id);

    // The lock rests: it is granted to nobody before `until`, for the lock_delay of its class or
    // until the next batch. nullopt ends that.
    void rest(const LockName& lock, std::optional<BootTime> until);

    [[nodiscard]] const Holdings& holdings() const noexcept { return holdings_; }
    [[nodiscard]] const DeadlineQueue<FencingToken>& expiries() const noexcept { return expiries_; }
    [[nodiscard]] const DeadlineQueue<LockName>& resting() const noexcept { return resting_; }
    [[nodiscard]] const WaitingLines& waiters() const noexcept { return waiters_; }
    [[nodiscard]] const Usage& usage() const noexcept { return usage_; }
    [[nodiscard]] std::optional<Renewals> renewals_of(FencingToken token) const;

    // The time was nobody's: every lease, every rest and every place that is kept ends later by
    // `span`. Not taken back.
    // REQUIRES: nothing has changed since commit().
    void postpone(BootTime::duration span);

    // Whether every one of these locks can be had now, waiters aside: OtherKind if one of them
    // never can while it is used as it is.
    [[nodiscard]] Fit fit(const std::vector<LockName>& locks, const Claim& claim) const;

    void rollback();
    // `late`: how long it took from the deadlines that were armed since the last commit, until what
    // they belong to was on disk. They count from there.
    void commit(BootTime::duration late = {});

private:
    struct Holder {
        FencingToken token;
        std::vector<LockName> locks;
        Claim claim;
        std::string principal;
    };
    struct Granted {
        Holder holder;
    };
    struct Ended {
        Holder holder;
    };
    struct Joined {
        WaiterId id;
    };
    struct Removed {
        Waiter waiter;
    };
    struct DeadlineChanged {
        FencingToken token;
        std::optional<BootTime> before;
    };
    struct RenewalsChanged {
        FencingToken token;
        std::optional<Renewals> before;
    };
    struct RestChanged {
        LockName lock;
        std::optional<BootTime> before;
    };
    using Undo = std::variant<Granted, Ended, Joined, Removed, DeadlineChanged, RenewalsChanged,
                              RestChanged>;

    void add(const Holder& holder);
    void drop(const Holder& holder);
    void put(Waiter waiter);
    [[nodiscard]] std::optional<Waiter> take(WaiterId id);
    // Whose deadline has changed since the last commit, and which are live; each once.
    [[nodiscard]] std::vector<FencingToken> armed() const;
    void put_renewals(FencingToken token, const std::optional<Renewals>& renewals);

    void take_back(const Granted& undo) { drop(undo.holder); }
    void take_back(const Ended& undo) { add(undo.holder); }
    void take_back(const Joined& undo) { static_cast<void>(take(undo.id)); }
    void take_back(const Removed& undo) { put(undo.waiter); }
    void take_back(const DeadlineChanged& undo);
    void take_back(const RenewalsChanged& undo) { put_renewals(undo.token, undo.before); }
    void take_back(const RestChanged& undo);

    Holdings holdings_;
    DeadlineQueue<FencingToken> expiries_;
    DeadlineQueue<LockName> resting_;
    WaitingLines waiters_;
    Usage usage_;
    std::unordered_map<FencingToken, Renewals> renewals_;
    std::vector<Undo> undo_;
};

}  // namespace fencegate::lockmgr
