// Which writes pass, told a second time.
#include "tests/simulation/judge.hpp"
#include "tests/support/tokens.hpp"

namespace fencegate::simulation {

using testing::number_of;

bool Judge::is_fenced_out(const Request& request, const PresentedToken& token,
                          const std::string* lock) {
    const auto refusal = fence(request.command, token, lock);
    if (!refusal) return false;
    auto* lease = timeline_.find(number_of(token));
    const bool is_known = lease != nullptr;
    // A full disk has no room for the record.
    if (is_known && !batch_.was_full) ++lease->refused;
    expect_refusal(request, *refusal, rule_of_fence(*refusal, token, lock));
    return true;
}

std::optional<ErrorCode> Judge::fence(const Command& command, const PresentedToken& token,
                                      const std::string* lock) const {
    if (token == lockmgr::kNoToken) return ErrorCode::FenceTokenRequired;
    if (!token) return ErrorCode::FenceTokenMalformed;
    const auto* lease = timeline_.find(token->value());
    if (lease == nullptr) return ErrorCode::FenceTokenUnknown;
    if (lease->principal != command.principal) return ErrorCode::FenceNotHolder;
    const bool covers = lock == nullptr
                            ? lease->claim.mode != LockMode::Shared
                            : lease->claim.mode == LockMode::Exclusive && lease->covers(*lock);
    const auto klass = lock == nullptr ? terms_of(lease->locks) : terms_of({*lock});
    const bool is_exclusive = lease->claim.mode == LockMode::Exclusive;
    switch (lease->state) {
        case LeaseState::Live: break;
        case LeaseState::Expired:
            if (klass.accepts_late_writes && covers && is_exclusive) return std::nullopt;
            return ErrorCode::FenceExpired;
        case LeaseState::Superseded: return ErrorCode::FenceStale;
        case LeaseState::Released: return ErrorCode::FenceReleased;
        case LeaseState::Broken: return ErrorCode::FenceBroken;
    }
    if (!covers) return ErrorCode::FenceLockMismatch;
    return std::nullopt;
}

Rule Judge::rule_of_fence(ErrorCode refusal, const PresentedToken& token,
                          const std::string* lock) const {
    if (refusal == ErrorCode::FenceNotHolder) return Rule::Holder;
    const auto told = lock != nullptr ? history_.revealed.find(*lock) : history_.revealed.end();
    const bool is_stale = told != history_.revealed.end() && told->second > number_of(token);
    return is_stale ? Rule::S3NoStaleWrite : Rule::S2AtomicFence;
}

}  // namespace fencegate::simulation
