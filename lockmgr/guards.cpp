#include "lockmgr/guards.hpp"

namespace fencegate::lockmgr {

LockName payment_lock(std::string_view payment_id) {
    return LockName::from_store(payment_lock_name(payment_id));
}

std::string payment_lock_name(std::string_view payment_id) {
    return std::string(kPaymentLocks.first).append(payment_id);
}

LockName election_lock(std::string_view election) {
    return LockName::from_store(std::string("elections/").append(election));
}

LockName run_lock(std::string_view job, std::string_view slot) {
    return LockName::from_store(std::string("runs/").append(job).append("/").append(slot));
}

}  // namespace fencegate::lockmgr
