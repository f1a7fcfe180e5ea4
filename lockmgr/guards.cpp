#include "lockmgr/guards.hpp"

namespace fencegate::lockmgr {
namespace {

constexpr std::string_view kElections = "elections/";

}  // namespace

LockName payment_lock(std::string_view payment_id) {
    return LockName::from_store(payment_lock_name(payment_id));
}

std::string payment_lock_name(std::string_view payment_id) {
    return std::string(kPaymentLocks.first).append(payment_id);
}

LockName election_lock(std::string_view election) {
    return LockName::from_store(std::string(kElections).append(election));
}

bool is_election_lock(const LockName& lock) noexcept {
    return lock.value().starts_with(kElections);
}

LockName run_lock(std::string_view job, std::string_view slot) {
    return LockName::from_store(std::string("runs/").append(job).append("/").append(slot));
}

}  // namespace fencegate::lockmgr
