// Writes beside the leases of their payment's lock, both in the order of names and then of tokens:
// none was made once a newer lease was granted. The fence says so, whatever it lets pass of writes
// under a lease that only expired.
#include "lockmgr/guards.hpp"
#include "storage/verify/verify_checks.hpp"

#include <algorithm>
#include <limits>

namespace fencegate::storage {
namespace {

class SuccessorPass {
public:
    SuccessorPass(RowsToVerify& rows, Checks& checks)
        : checks_(checks), leases_(rows.leases_by_lock(lockmgr::kPaymentLocks)) {
        leases_.next();
    }

    // Tokens that fall back within a payment are told as fence_order, and their writes passed over.
    void take(const FencedWrite& write) {
        enter(lockmgr::payment_lock_name(write.payment_id));
        newest_ = std::max(newest_, write.token);
        const auto* lease = leases_.at();
        while (lease != nullptr && !is_behind(*lease, write.token)) lease = leases_.next();
        if (lease == nullptr || lease->lock != lock_ || write.token < newest_) return;
        checks_.fence_leases.expect(write.booked_at <= lease->granted_at + kClockTolerance, [&] {
            return nth("entry", write.id) + " was written under " + nth("token", write.token) +
                   ", which " + nth("token", lease->token) + " had superseded before it";
        });
    }

private:
    void enter(std::string lock) {
        if (lock == lock_) return;
        lock_ = std::move(lock);
        newest_ = std::numeric_limits<std::int64_t>::min();
    }

    // Whether the lease is the successor of the one that was written under, or of a later lock.
    [[nodiscard]] bool is_behind(const LockLease& lease, std::int64_t token) const {
        return lease.lock > lock_ || (lease.lock == lock_ && lease.token > token);
    }

    Checks& checks_;
    Pass<LockLease> leases_;
    std::string lock_;
    std::int64_t newest_ = 0;  // token that this lock was written under
};

}  // namespace

void check_late_writes(RowsToVerify& rows, const StoreFacts& facts, const VerifyOptions& options,
                       Checks& checks) {
    if (facts.is_clock_unsteady) return;
    Progress progress(options, "late writes", facts.entries);
    SuccessorPass pass(rows, checks);
    auto writes = rows.fenced_writes();
    while (const auto* write = writes.next()) {
        // While the clock is behind the newest entry, entries get that one's time, which tells
        // nothing.
        if (write->before == write->booked_at) continue;
        pass.take(*write);
        progress.step();
    }
}

}  // namespace fencegate::storage
