#pragma once
// LiveState: what a lock manager knows beside the rows: deadlines of live leases and the lines of
// waiters. It changes with the rows, so it is transactional like them: every change is remembered
// until commit(), and rollback() takes the changes back, newest first. Without that, a batch that
// hits a full disk would leave a lock free in the rows and taken in memory.
// Invariant: after rollback() the state equals the state at the last commit().
// Thread rule: belongs to one thread.

#include "lockmgr/expiry_queue.hpp"
#include "lockmgr/wait_queue.hpp"

#include <optional>
#include <variant>
#include <vector>

namespace fencegate::lockmgr {

class LiveState {
public:
    using Mark = std::size_t;

    explicit LiveState(WaitLimits limits) : waiters_(limits) {}

    void arm(FencingToken token, BootTime deadline);
    void disarm(FencingToken token);
    [[nodiscard]] bool enqueue(Waiter waiter);  // false: a bound is reached
    [[nodiscard]] std::optional<Waiter> dequeue(const LockName& lock);
    [[nodiscard]] std::optional<Waiter> remove(WaiterId id);

    [[nodiscard]] const ExpiryQueue& expiries() const noexcept { return expiries_; }
    [[nodiscard]] const WaitQueue& waiters() const noexcept { return waiters_; }

    [[nodiscard]] Mark mark() const noexcept { return undo_.size(); }
    void rollback_to(Mark mark);
    void rollback() { rollback_to(0); }
    void commit() noexcept { undo_.clear(); }

private:
    struct Enqueued {
        WaiterId id;
    };
    struct Removed {
        Waiter waiter;
    };
    struct DeadlineChanged {
        FencingToken token;
        std::optional<BootTime> before;
    };
    using Undo = std::variant<Enqueued, Removed, DeadlineChanged>;

    void take_back(Undo& undo);

    ExpiryQueue expiries_;
    WaitQueue waiters_;
    std::vector<Undo> undo_;
};

}  // namespace fencegate::lockmgr
