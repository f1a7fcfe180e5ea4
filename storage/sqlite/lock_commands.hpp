#pragma once
// LockCommands: acquire, renew, release, expire, break and read, each against the rows of the open
// transaction and the live state that moves with them. Asks lockmgr's rules, writes what they say.
// Promises served: 1 (install before reveal), 3 (tokens only rise), 7 (expiry is an event here).
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/sqlite/batch.hpp"

#include <optional>

namespace fencegate::storage::sqlite {

class LockCommands {
public:
    LockCommands(Tables& tables, const lockmgr::LockClasses& classes, Random& random);

    // Nothing: the caller waits, and its answer will be among the outcomes of a later batch.
    [[nodiscard]] std::optional<Answer> acquire(Batch& batch, const Request& request);
    [[nodiscard]] Answer renew(Batch& batch, const Command& command, const RenewLease& renew);
    [[nodiscard]] Answer release(Batch& batch, const Command& command, const ReleaseLease& release);
    [[nodiscard]] Answer break_lock(Batch& batch, const BreakLock& broken);
    [[nodiscard]] Answer read(Batch& batch, const ReadLease& read);
    [[nodiscard]] Answer read(Batch& batch, const ReadLock& read);

    [[nodiscard]] bool is_expiry_due(BootTime now) const;
    // Ends the lease that ran out first, if one has by batch.now, and grants to who waits.
    void expire_next(Batch& batch);
    // Answers the waiter that the next expiry would grant to Internal. For a grant that the
    // schema refuses: the expiry itself must not be held up by it.
    void refuse_next_waiter(Batch& batch);
    // Answers waiters whose patience ended by batch.now, at most `max`.
    void time_out_due(Batch& batch, std::size_t max);
    // Takes a waiter out and answers it `why`. Does nothing if it does not wait.
    void give_up(Batch& batch, Ticket ticket, ErrorCode why);

    // After a restart: arms every live lease with its full TTL.
    void arm_all(BootTime now);

    // From now on nobody is queued.
    void refuse_waiting() noexcept { is_draining_ = true; }

private:
    [[nodiscard]] std::optional<Answer> wait(Batch& batch, const Request& request, Duration ttl);
    [[nodiscard]] Answer grant(Batch& batch, const Command& command, Duration ttl, Seconds waited);
    void grant_next(Batch& batch, const lockmgr::LockName& lock);
    // Writes the end of a live lease and hands the lock on.
    void end(Batch& batch, const lockmgr::Lease& lease, lockmgr::LeaseState how,
             Seconds expiry_lag);
    [[nodiscard]] Answer held(Batch& batch, const lockmgr::LockName& lock, std::size_t ahead);
    // The refusal to renew or release; tells the holder how its lease ended.
    [[nodiscard]] Answer not_own(Batch& batch, const std::optional<lockmgr::Lease>& lease,
                                 Error error);
    void note(Batch& batch, const lockmgr::LockName& lock, AcquireEvent::Outcome outcome,
              Seconds waited = {});

    Tables& tables_;
    const lockmgr::LockClasses& classes_;
    Random& random_;
    // Tickets are the askers' numbers and of several threads; the line has its own.
    std::uint64_t last_waiter_ = 0;
    bool is_draining_ = false;
};

}  // namespace fencegate::storage::sqlite
