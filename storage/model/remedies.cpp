#include "storage/model/remedies.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace fencegate::storage {
namespace {

using Kind = OperationKind;
using Code = ErrorCode;

template <class Enum>
struct SetOf {
    std::uint64_t bits[2] = {0, 0};

    constexpr SetOf(std::initializer_list<Enum> all) {
        for (const auto one : all) {
            const auto at = static_cast<unsigned>(one);
            bits[at / 64] |= std::uint64_t{1} << (at % 64);
        }
    }
    [[nodiscard]] constexpr bool has(Enum one) const {
        const auto at = static_cast<unsigned>(one);
        return (bits[at / 64] >> (at % 64) & 1) != 0;
    }
};

struct Remedy {
    SetOf<Kind> kinds;
    SetOf<Code> codes;
    std::string_view text;
};

constexpr SetOf<Kind> kMoves{Kind::Capture, Kind::Refund, Kind::Cancel};
constexpr SetOf<Kind> kMoney{Kind::Create, Kind::Capture, Kind::Refund, Kind::Cancel};
constexpr SetOf<Kind> kAcquires{Kind::Acquire, Kind::Campaign, Kind::Claim};
constexpr SetOf<Kind> kFinishes{Kind::Done, Kind::Failed};
constexpr SetOf<Kind> kNoMoney{Kind::Acquire, Kind::Campaign, Kind::Claim,       Kind::Renew,
                               Kind::Release, Kind::Break,    Kind::Proclaim,    Kind::Resign,
                               Kind::Done,    Kind::Failed,   Kind::Acknowledge, Kind::Forget};

// A token that passes no more, whatever became of its lease.
constexpr SetOf<Code> kEnded{Code::FenceStale, Code::FenceExpired, Code::FenceReleased,
                             Code::FenceBroken, Code::FenceTokenUnknown};
constexpr SetOf<Code> kGone{Code::GoneStale, Code::GoneExpired, Code::GoneReleased,
                            Code::GoneBroken};

// The first row that fits counts.
constexpr Remedy kRemedies[] = {
    // --- money ---
    {kMoves, kEnded,
     "Acquire the lock {lock} again, read the payment, and if the call is still wanted repeat it "
     "with the token of the new lease and the same Idempotency-Key."},
    {kMoves,
     {Code::FenceLockMismatch},
     "Acquire the lock {lock} in exclusive mode, then repeat the call with the token of that lease "
     "and the same Idempotency-Key."},
    {kMoves,
     {Code::FenceNotHolder},
     "Acquire the lock {lock} with the API key that makes this call, then repeat the call with the "
     "token of that lease and the same Idempotency-Key."},
    {kMoves,
     {Code::FenceTokenRequired},
     "Acquire the lock {lock}, then repeat the call with its token in X-Fence-Token and the same "
     "Idempotency-Key."},
    {{Kind::Create},
     kEnded,
     "Acquire the lock that you create this payment under again, then repeat the call with the "
     "token of the new lease and the same Idempotency-Key."},
    {{Kind::Create},
     {Code::FenceLockMismatch},
     "Repeat the call with the token of a lease that is not shared, and the same "
     "Idempotency-Key."},
    {{Kind::Create},
     {Code::FenceNotHolder},
     "Repeat the call with the token of a lease that was granted to the API key that makes this "
     "call, and the same Idempotency-Key."},
    {kMoney,
     {Code::FenceTokenMalformed},
     "Repeat the call with the token exactly as the grant told it, and the same Idempotency-Key."},
    {kMoney,
     {Code::PaymentChanged},
     "Read the payment. If the call is still wanted, repeat it with the ETag of now and the same "
     "Idempotency-Key."},
    {kMoney,
     {Code::IdempotencyMismatch},
     "Read original_resource: if it shows what this call should have done, it is done. Repeat the "
     "first call unchanged under this key to read its answer again."},
    // --- taking a lock ---
    {{Kind::Claim}, {Code::RunDone, Code::RunMissed}, "Nothing is left to do for this run."},
    {{Kind::Claim},
     {Code::RunFailed},
     "To try the run once more, claim it again under another acquire key: this one stands for the "
     "claim that failed."},
    {{Kind::Campaign},
     kGone,
     "You do not lead. Campaign again under another acquire key: this one stands for the lease "
     "that ended. Calls that move money keep their keys."},
    {{Kind::Claim},
     kGone,
     "The claim is over. Claim the run again under another acquire key: this one stands for the "
     "lease that ended. Calls that move money keep their keys."},
    {kAcquires, kGone,
     "You do not hold {lock}. Acquire again under another acquire key: this one stands for the "
     "lease that ended. Calls that move money keep their keys."},
    {kAcquires,
     {Code::LeaseNotFound},
     "Acquire again under another acquire key: this one stands for a lease that ended long ago. "
     "Calls that move money keep their keys."},
    {kAcquires,
     {Code::LockModeConflict},
     "Ask for the mode and the permits that the lock is in use with, or wait until nobody holds "
     "it."},
    // --- a lease ---
    {{Kind::Renew},
     kGone,
     "The lease cannot be revived. Stop the work that it protected, and acquire {lock} again in "
     "the way this lease was acquired before you go on."},
    {{Kind::Renew},
     {Code::LeaseNotFound},
     "Stop the work that the lease protected, and acquire its lock again before you go on."},
    {{Kind::Renew}, {Code::FenceNotHolder}, "Renew with the API key that acquired the lease."},
    {{Kind::Renew},
     {Code::MaxHoldReached, Code::NoProgress},
     "The lease lives until its present deadline. Finish until then, or release it and acquire "
     "again in turn."},
    {{Kind::Release},
     {Code::GoneStale, Code::GoneExpired, Code::GoneBroken},
     "Nothing is left to release. The lease ended before you let go, so check the work that you "
     "did under it: writes that came after its end were refused."},
    {{Kind::Release}, {Code::LeaseNotFound}, "Nothing is left to release."},
    {{Kind::Release},
     {Code::FenceNotHolder},
     "Release with the API key that acquired the lease; an administrator can break it."},
    {{Kind::Break},
     {Code::FenceStale},
     "Read the lock. Break it only if the lease that holds it now is the one to be ended, with the "
     "token of that lease."},
    {{Kind::Break}, {Code::LockNotHeld}, "Nothing is left to break: nobody holds the lock."},
    // --- elections ---
    {{Kind::Proclaim},
     kEnded,
     "You do not lead any more: stop acting as the leader. To lead again, campaign, and proclaim "
     "with the token of that lease."},
    {{Kind::Proclaim},
     {Code::FenceLockMismatch, Code::FenceTokenRequired},
     "Proclaim with the token that your campaign for this election was granted."},
    {{Kind::Proclaim},
     {Code::FenceNotHolder},
     "Proclaim with the API key that campaigned, and the token that it was granted."},
    {{Kind::Resign}, kEnded, "Nothing is left to resign: you do not lead any more."},
    {{Kind::Resign},
     {Code::FenceLockMismatch, Code::FenceTokenRequired},
     "Resign with the token that your campaign for this election was granted."},
    {{Kind::Resign},
     {Code::FenceNotHolder},
     "Resign with the API key that campaigned; an administrator can break the lease."},
    // --- runs ---
    {kFinishes, kEnded,
     "The claim has ended, so nothing was recorded. Read the run: unless it is done, claim it "
     "again, and end it with the token of that claim."},
    {kFinishes,
     {Code::FenceLockMismatch, Code::FenceTokenRequired},
     "End the run with the token that claimed it."},
    {kFinishes,
     {Code::FenceNotHolder},
     "End the run with the API key that claimed it, and the token that it was granted."},
    {kFinishes, {Code::RunNotFound}, "Claim the run before it is ended."},
    {kFinishes, {Code::RunDone}, "Nothing is left to do for this run."},
    // --- any ---
    {kNoMoney,
     {Code::FenceTokenMalformed},
     "Repeat the call with the token exactly as the grant told it."},
    {kNoMoney,
     {Code::IdempotencyMismatch},
     "Repeat the first call unchanged under this key to read its answer again."},
    {{Kind::Forget}, {Code::ConsumerNotFound}, "Nothing is left to delete."},
};

// The lock that was asked for; of a lease that ended, the locks it was over.
std::string lock_in(const Error& error) {
    for (const std::string_view name : {"lock", "lease_lock"}) {
        const auto found = std::ranges::find(error.members, name, &ErrorMember::name);
        if (found != error.members.end()) return std::get<std::string>(found->value);
    }
    return "it needs";
}

}  // namespace

std::string_view remedy_text(OperationKind kind, ErrorCode code) noexcept {
    const auto* found = std::ranges::find_if(kRemedies, [&](const Remedy& remedy) {
        return remedy.kinds.has(kind) && remedy.codes.has(code);
    });
    return found == std::ranges::end(kRemedies) ? std::string_view() : found->text;
}

void advise(const Operation& operation, Error& error) {
    static constexpr std::string_view kLock = "{lock}";
    if (std::ranges::count(error.members, "remedy", &ErrorMember::name) > 0) return;
    std::string text(remedy_text(kind_of(operation), error.code));
    if (text.empty()) return;
    if (const auto at = text.find(kLock); at != std::string::npos)
        text.replace(at, kLock.size(), lock_in(error));
    error.members.push_back({"remedy", std::move(text)});
}

}  // namespace fencegate::storage
