#pragma once
// The vocabulary of failure: one closed ErrorCode, one Error, one Result alias.
//
// Owns: which refusals exist. Refuses to own: HTTP statuses (proxy/http/problem.cpp has the one
// switch). Thread rule: plain values. Every code here has a row in docs/api.md; the tidy test
// checks it.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fencegate {

// What went wrong. The wire spelling is code_name(); clients branch on it, so it never changes.
// The four ways a lease ends exist twice: as the refusal of a *write* under it (Fence..., 412) and
// as the refusal to renew or release it (Gone..., 410). Both spell the same code on the wire.
enum class ErrorCode : std::uint8_t {
    // The request itself. Never retryable unchanged.
    BadRequest,            // framing or syntax no server should guess about
    InvalidArgument,       // well-formed, but a value is outside what the route accepts
    InvalidJson,           // body is not the strict JSON this API takes
    InvalidLockName,       // lock name breaks the grammar
    Unauthenticated,       // no or unknown credentials
    Forbidden,             // known caller without the scope
    RouteNotFound,         // no such route
    MethodNotAllowed,      // route exists, verb does not
    RequestTimeout,        // client too slow
    LengthRequired,        // write without Content-Length or chunked framing
    BodyTooLarge,          // body over the limit
    UnsupportedMediaType,  // body is not application/json
    HeaderTooLarge,        // header block over the limit
    // Fencing: the write was refused and nothing changed.
    FenceTokenRequired,   // fenced route without X-Fence-Token
    FenceTokenMalformed,  // not a positive decimal below 2^53, or sent twice
    FenceStale,           // the lease was superseded by a newer grant
    FenceExpired,         // the lease ran out, nobody else was granted yet
    FenceReleased,        // its holder let go
    FenceBroken,          // an admin force-released it
    FenceTokenUnknown,    // never issued by this store in this epoch
    FenceLockMismatch,    // live lease, but of another lock than the route needs
    FenceNotHolder,       // live lease of another principal
    // Locks.
    LockHeld,           // held by another, and the wait is over
    LockModeConflict,   // in use as a lock and asked for as a semaphore, or with other permits
    QueueFull,          // too many waiters already
    MaxHoldReached,     // renewed for as long as the class allows
    NoProgress,         // renewed too often without progress
    LeaseNotFound,      // no lease of that id
    LockNotHeld,        // break of a lock that nobody holds
    LockClassNotFound,  // no lock class of that name
    GoneStale,          // as Fence..., for renew and release
    GoneExpired,
    GoneReleased,
    GoneBroken,
    // Runs and elections.
    RunNotFound,
    RunNotDue,  // its scheduled instant has not come
    RunDone,    // done is final
    RunMissed,  // too late to begin: missed is final
    RunFailed,  // the claim that is asked for again ended with its run's failure
    // Payments.
    PaymentNotFound,
    PaymentExists,
    ReferenceExists,  // another payment of this principal has the reference
    PaymentChanged,   // not the version that If-Match names
    PaymentNotCapturable,
    PaymentNotRefundable,
    PaymentNotCancellable,
    CaptureExceedsAuthorized,
    RefundExceedsCaptured,
    ConsumerNotFound,  // nobody has acknowledged an event under this name
    // Idempotency.
    IdempotencyKeyRequired,
    IdempotencyKeyMalformed,
    IdempotencyInFlight,
    IdempotencyMismatch,
    // Backups.
    BackupRunning,  // one at a time
    BackupNotFound,
    NotSupported,  // not by the engine that the store is in
    // The gateway. Retryable.
    QuotaExceeded,
    Overloaded,      // a bounded queue is full; nothing was done
    Draining,        // shutting down; nothing was done
    StoreFull,       // no disk space; nothing was done
    StoreDamaged,    // a page or a row is not as it was written; nothing was done
    OutcomeUnknown,  // the commit failed in a way that may or may not have reached the disk
    StoreFailed,     // the store failed before this was begun; nothing was done
    Internal,
};

// The stable snake_case spelling of a code.
[[nodiscard]] std::string_view code_name(ErrorCode code) noexcept;

// A named fact that travels with an error into the problem document, e.g. {"current_token", 34}.
// Names are literals.
struct ErrorMember {
    std::string_view name;
    std::variant<std::int64_t, std::string> value;
};

struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string detail;  // for a person; says what to do next where there is something
    std::vector<ErrorMember> members;  // for a program
    std::int64_t retry_after_ms = -1;  // negative: no advice
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string detail,
                                                 std::vector<ErrorMember> members = {}) {
    return std::unexpected(Error{code, std::move(detail), std::move(members), -1});
}

}  // namespace fencegate
