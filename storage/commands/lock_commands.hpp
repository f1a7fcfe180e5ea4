#pragma once
// LockCommands: acquire, renew, release, expire, break and serve the lines, each against the rows
// of the open transaction and the live state that moves with them. Asks lockmgr's rules, writes
// what they say. Promises served: 1 (install before reveal), 3 (tokens only rise), 7 (expiry is an
// event here). Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/unit/batch.hpp"

#include <optional>
#include <span>

namespace fencegate::storage {

class LockCommands {
public:
    LockCommands(Tables& tables, const lockmgr::LockClasses& classes, Random& random);

    // Nothing: the caller waits, and its answer will be among the outcomes of a later batch.
    [[nodiscard]] std::optional<Answer> acquire(Batch& batch, const Request& request);
    [[nodiscard]] Answer renew(Batch& batch, const Command& command, const RenewLease& renew);
    [[nodiscard]] Answer release(Batch& batch, const Command& command, const ReleaseLease& release);
    [[nodiscard]] Answer break_lock(Batch& batch, const BreakLock& broken);

    // Writes the end of a live lease; who waits for its locks can be served then.
    void end(Batch& batch, const lockmgr::Lease& lease, lockmgr::LeaseState how,
             Seconds expiry_lag = {}, std::string reason = {});

    // Whether somebody can be served in a line that moved in this batch. Serving is a step of its
    // own, so that a grant which fails takes nothing back but itself.
    [[nodiscard]] bool can_serve(Batch& batch);
    // REQUIRES: can_serve(). Grants to who is first in line, or tells it that it is too late.
    void serve_next(Batch& batch);
    // REQUIRES: can_serve(). Answers it Internal instead: the schema refused the grant.
    void refuse_next(Batch& batch);

    // Leaves the lines that moved for a later batch; nobody is granted out of turn meanwhile.
    void serve_later(Batch& batch);

    [[nodiscard]] bool is_due(const Batch& batch) const;
    // Ends the lease that ran out first, or the rest of the lock that has rested longest.
    void run_due(Batch& batch);
    // Answers waiters whose patience ended by batch.now, at most `max`.
    void time_out_due(Batch& batch, std::size_t max);
    // Forgets places whose waiters have stayed away for too long, at most `max`.
    void give_away_places(const Batch& batch, std::size_t max);
    // Takes a waiter out and answers it `why`; its place is kept if its client has just left. Does
    // nothing if it does not wait.
    void give_up(Batch& batch, Ticket ticket, ErrorCode why);

    // After a restart: arms every live lease of the rows with its full TTL. False: the rows
    // contradict each other, two leases hold what only one can.
    [[nodiscard]] bool arm_all(std::span<const lockmgr::Lease> live, BootTime now);

    // From now on nobody is queued.
    void refuse_waiting() noexcept { is_draining_ = true; }

private:
    // At its old place, if it had one.
    [[nodiscard]] std::optional<Answer> wait(Batch& batch, const Request& request, Duration ttl,
                                             const lockmgr::LockClass& klass,
                                             const std::optional<lockmgr::Waiter>& place);
    // The place in line that was kept for who asks under this key, which is then its again.
    [[nodiscard]] std::optional<lockmgr::Waiter> take_up_place(
        const Batch& batch, const std::optional<Idempotency>& key);
    // Keeps the place of a waiter that was taken out. False: it is not one that can come back.
    bool keep_place(const Batch& batch, lockmgr::Waiter waiter);
    [[nodiscard]] Answer step_away(Batch& batch, lockmgr::Waiter waiter);
    [[nodiscard]] Answer grant(Batch& batch, const Command& command, Duration ttl, Seconds waited);
    // nullopt: the rows contradict the live state, and nothing was written.
    [[nodiscard]] std::optional<lockmgr::Lease> install(const Batch& batch, const Command& command,
                                                        Duration ttl, lockmgr::FencingToken token);
    // Ends a live lease whose deadline has passed; on a full disk the end is only told.
    void end_if_over(Batch& batch, lockmgr::Lease& lease);
    [[nodiscard]] lockmgr::Waiter take_next(Batch& batch);
    [[nodiscard]] std::optional<lockmgr::LockName> rest_that_is_over(const Batch& batch) const;
    [[nodiscard]] Answer serve(Batch& batch, const lockmgr::Waiter& waiter);
    // The refusal because of a lock that cannot be had now. `kept` is the asker's place in line,
    // nullptr if it has none.
    [[nodiscard]] Answer held(Batch& batch, const std::vector<lockmgr::LockName>& locks,
                              const lockmgr::Waiter* kept = nullptr);
    // The refusal to renew or release; tells the holder how its lease ended.
    [[nodiscard]] Answer not_own(Batch& batch, const std::optional<lockmgr::Lease>& lease,
                                 Error error, LateReturnEvent::What what);
    // Counts an outcome once for each lock.
    void note(Batch& batch, const std::vector<lockmgr::LockName>& locks,
              AcquireEvent::Outcome outcome, Seconds waited = {});
    [[nodiscard]] Answer deny(Batch& batch, const std::vector<lockmgr::LockName>& locks,
                              Error error);

    Tables& tables_;
    const lockmgr::LockClasses& classes_;
    Random& random_;
    // Tickets are the askers' numbers and of several threads; the line has its own.
    std::uint64_t last_waiter_ = 0;
    bool is_draining_ = false;
};

// What a read that failed is answered with; nothing that was decided on it commits.
[[nodiscard]] inline Error poisoned() {
    return {ErrorCode::Internal, "The store did not answer.", {}, -1};
}

[[nodiscard]] inline Error over_quota(std::string_view what) {
    return {ErrorCode::QuotaExceeded,
            "This principal " + std::string(what) +
                " as many locks of this class as its quota allows. Release one first.",
            {},
            1'000};
}

// The lease with this id, if there is one.
[[nodiscard]] std::optional<lockmgr::Lease> find_by_id(Tables& tables, const Uuid& id);

}  // namespace fencegate::storage
