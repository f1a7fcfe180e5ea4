#pragma once
// Commands: everything that can be asked of a store, as plain values. The edge builds them from
// requests, the engine executes them in one order. Also the answers that come back.
// Owns: the shape of questions and answers. Refuses to own: HTTP, SQL.
// Thread rule: plain values, moved from the session to the store thread and back.

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/strong.hpp"
#include "base/uuid.hpp"
#include "lockmgr/fence_rule.hpp"
#include "lockmgr/lease.hpp"
#include "lockmgr/run_rules.hpp"
#include "storage/model/idempotency.hpp"
#include "storage/model/reading.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fencegate::storage {

// What an operation does with the rows.
enum class Access : std::uint8_t {
    Read,
    LongRead,  // may look at hundreds of rows, and waits for its turn behind what does not
    Write,
};

// --- locks ---

// What a lock is taken for beside itself; recorded in the transaction of the grant.
struct Campaign {  // the lock of an election
    std::string election;
    std::string value_json;  // empty: nothing to proclaim yet
};
struct ClaimRun {  // the lock of a run
    std::string job;
    lockmgr::RunSlot slot;
    std::optional<Duration> start_within;
};
using Purpose = std::variant<std::monostate, Campaign, ClaimRun>;

struct AcquireLock {
    static constexpr Access kAccess = Access::Write;
    std::vector<lockmgr::LockName> locks;  // sorted, without repetition, one at least
    lockmgr::Claim claim{};
    std::optional<Duration> ttl{};
    Duration wait{0};  // zero: try once
    std::string owner{};
    std::string metadata_json{};
    std::optional<Idempotency> idempotency{};
    Purpose purpose{};
};
struct RenewLease {
    static constexpr Access kAccess = Access::Write;
    Uuid lease_id;
    std::optional<Duration> ttl{};
    std::optional<std::int64_t> progress{};
    std::optional<Idempotency> idempotency{};
};
struct ReleaseLease {
    static constexpr Access kAccess = Access::Write;
    Uuid lease_id;
    std::optional<Idempotency> idempotency{};
};
struct ReadLease {
    static constexpr Access kAccess = Access::Read;
    Uuid lease_id;
};
struct ReadLock {
    static constexpr Access kAccess = Access::Read;
    lockmgr::LockName lock;
};
struct ListLocks {
    static constexpr Access kAccess = Access::LongRead;
    enum class Filter : std::uint8_t { All, Held, Free };
    std::string prefix;
    Filter filter = Filter::All;
    std::string after;  // the last name seen; empty: from the first on
    int limit = 10;
};
struct ReadHistory {
    static constexpr Access kAccess = Access::LongRead;
    lockmgr::LockName lock;
    // The token of the last lease seen; nullopt: from the newest on.
    std::optional<lockmgr::FencingToken> before{};
    int limit = 10;
};
// Is this token good for writes under `lock` now? For effects that do not pass the gateway.
struct VerifyFence {
    static constexpr Access kAccess = Access::Read;
    lockmgr::LockName lock;
    lockmgr::FencingToken token;
};
struct FindDeadlocks {
    static constexpr Access kAccess = Access::LongRead;
};
// The live leases that were granted first.
struct ReadLongestHeld {
    static constexpr Access kAccess = Access::LongRead;
    int limit = 10;
};
// Whether the TTL of a lock class is right.
struct ReadAdvice {
    static constexpr Access kAccess = Access::Read;
    std::string lock_class;
};
// Administrators only: ends the lease that holds `lock`, if it is still the one they saw.
struct BreakLock {
    static constexpr Access kAccess = Access::Write;
    lockmgr::LockName lock;
    lockmgr::FencingToken seen_token;
    std::string reason;
    std::optional<Idempotency> idempotency{};
};

// --- elections and runs: a lock each, with something to say ---

struct Proclaim {
    static constexpr Access kAccess = Access::Write;
    std::string election;
    std::string value_json;
    lockmgr::PresentedToken token = lockmgr::kNoToken;
    std::optional<Idempotency> idempotency{};
};
struct Resign {
    static constexpr Access kAccess = Access::Write;
    std::string election;
    lockmgr::PresentedToken token = lockmgr::kNoToken;
    std::optional<Idempotency> idempotency{};
};
struct ReadElection {
    static constexpr Access kAccess = Access::Read;
    std::string election;
};
struct FinishRun {
    static constexpr Access kAccess = Access::Write;
    std::string job;
    lockmgr::RunSlot slot;
    bool is_done = true;  // else it failed
    std::string result;
    lockmgr::PresentedToken token = lockmgr::kNoToken;
    std::optional<Idempotency> idempotency{};
};
struct ReadRun {
    static constexpr Access kAccess = Access::Read;
    std::string job;
    lockmgr::RunSlot slot;
};
struct ListRuns {
    static constexpr Access kAccess = Access::LongRead;
    std::string job;
    std::string before;  // the last slot seen; empty: from the newest on
    int limit = 10;
};

// --- payments; every write carries its key and what was presented as its fence ---

struct CreatePayment {
    static constexpr Access kAccess = Access::Write;
    std::string id;  // empty: the store makes one
    std::string currency;
    std::int64_t amount_minor = 0;
    bool capture = true;
    std::string reference;
    std::string metadata_json;
    lockmgr::PresentedToken token = lockmgr::kNoToken;
    Idempotency idempotency;
};
// Which version of a payment a change is meant for: If-Match.
using PaymentVersions = std::vector<std::int64_t>;

struct MovePayment {
    static constexpr Access kAccess = Access::Write;
    enum class Kind : std::uint8_t { Capture, Refund, Cancel };
    Kind kind = Kind::Refund;
    std::string payment_id;
    std::optional<std::int64_t> amount_minor;  // absent: the rest
    std::string reason;
    lockmgr::PresentedToken token = lockmgr::kNoToken;
    Idempotency idempotency;
    std::optional<PaymentVersions> if_version{};  // any of them; absent: whatever it is
};
struct ReadPayment {
    static constexpr Access kAccess = Access::Read;
    std::string payment_id;
};
struct ListRefunds {
    static constexpr Access kAccess = Access::LongRead;
    std::string payment_id;
    std::int64_t before = 0;  // the transfer id of the last refund seen; 0: from the newest on
    int limit = 10;
};

// --- reading the journal, in order of its entries; see storage/model/reading.hpp ---

struct ListPayments {
    static constexpr Access kAccess = Access::LongRead;
    std::string status{};     // as status_name() tells it; empty: all
    std::string reference{};  // empty: all; else the one payment of the principal that has it
    std::string reference_principal{};
    TimeRange created{};
    Place place{};
    int limit = 10;
};
struct ReadAccounts {
    static constexpr Access kAccess = Access::Read;
    std::string currency{};  // empty: all
};
struct ListEntries {
    static constexpr Access kAccess = Access::LongRead;
    std::optional<Account> account{};  // on either side
    std::string currency{};
    std::string payment_id{};
    TimeRange booked{};
    Place place{};
    int limit = 10;
};
// One page of a statement; see StatementPage.
struct ReadStatement {
    static constexpr Access kAccess = Access::LongRead;
    Account account = Account::CustomerFunds;
    std::string currency{};
    TimeRange booked{};
    std::optional<StatementPlace> place{};  // absent: the first page
};
struct ReadEvents {
    static constexpr Access kAccess = Access::LongRead;
    std::int64_t after = 0;  // the id of the last event seen
    std::string consumer{};  // empty: none; else behind what it has acknowledged
    int limit = 10;
};
struct Acknowledge {
    static constexpr Access kAccess = Access::Write;
    std::string consumer;
    std::int64_t position = 0;
    std::optional<Idempotency> idempotency{};
};
struct ReadConsumer {
    static constexpr Access kAccess = Access::Read;
    std::string consumer;
};
struct ForgetConsumer {
    static constexpr Access kAccess = Access::Write;
    std::string consumer;
    std::optional<Idempotency> idempotency{};
};

using Operation =
    std::variant<AcquireLock, RenewLease, ReleaseLease, ReadLease, ReadLock, ListLocks, ReadHistory,
                 VerifyFence, FindDeadlocks, ReadLongestHeld, ReadAdvice, BreakLock, Proclaim,
                 Resign, ReadElection, FinishRun, ReadRun, ListRuns, CreatePayment, MovePayment,
                 ReadPayment, ListRefunds, ListPayments, ReadAccounts, ListEntries, ReadStatement,
                 ReadEvents, Acknowledge, ReadConsumer, ForgetConsumer>;

struct Command {
    std::string principal;
    std::string request_id;
    Operation operation;
    std::string_view route{};  // as the records name it; a literal
    // If the write succeeds, the lease that it was made under ends with it. Not part of what is
    // asked under a key: a retry may ask without it. REQUIRES: is_fenced(kind_of(operation)).
    bool releases_lease = false;
};

// How the fence stands that a replayed write was once made under; Released: the write ended it
// itself. Of the write itself it is told only where it was to end its lease.
enum class FenceStatus : std::uint8_t { None, Live, Stale, Released };

// What the store says. `error` absent means success. Everything it reveals is durable.
struct Answer {
    std::optional<Error> error;
    std::string body;         // the resource as JSON; empty where there is none
    std::string resource_id;  // the lease or payment the answer is about, for Location
    std::optional<lockmgr::FencingToken> fencing_token{};  // of a grant or a renewal
    std::int64_t version = 0;  // of the payment that the answer leaves, for ETag; 0: none
    bool is_replayed = false;  // an earlier answer under the same idempotency key
    FenceStatus fence_status = FenceStatus::None;
    std::string next_cursor;      // of a page: where the next begins; empty: there is none
    std::string previous_cursor;  // the same backwards
    // Of a statement. shared_ptr: answers are copied around, and all others have none.
    std::shared_ptr<const StatementPage> statement;
    std::string first_request_id;  // of the request that a replayed refusal first answered
};

}  // namespace fencegate::storage
