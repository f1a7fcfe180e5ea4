#pragma once
// Changes: what a batch writes, as plain vectors, one a table; each row at most once, as the batch
// leaves it. A rule has decided everything in it; an engine only writes it down, in the order of
// the members: what a later one refers to is there by then.
// Thread rule: a plain value.
// Source: the unit of work as in Fowler, "Patterns of Enterprise Application Architecture", 2002.

#include "lockmgr/lease.hpp"
#include "storage/model/stamp.hpp"
#include "storage/model/stored_answer.hpp"
#include "storage/money/ledger.hpp"
#include "storage/unit/readers.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fencegate::storage {

struct NewLease {
    lockmgr::Lease lease;  // live
    // Of each of its locks, in their order: the lease that was granted before.
    std::vector<std::optional<lockmgr::FencingToken>> before;
};

// The lease of a lock that was granted last.
struct NewHead {
    lockmgr::LockName lock;
    lockmgr::FencingToken token;
    bool is_first;  // the lock had none before
};

struct LeaseEnd {
    lockmgr::LeaseState how;
    Stamp at;
    std::string break_reason;
};

// What has changed of a lease; what is not set stays.
struct LeaseChange {
    lockmgr::FencingToken token;
    std::optional<Duration> ttl{};
    std::optional<LeaseEnd> end{};
    bool is_superseded = false;             // it had expired
    std::optional<std::int64_t> refused{};  // writes that the fence refused, in all
};

struct NewRefusal {
    lockmgr::FencingToken token;
    std::int64_t number;
    RefusedWrite write;
};

struct ElectionChange {
    std::string name;
    Proclamation proclamation;
};

struct NewReference {
    std::string reference;
    std::string principal;
    std::string payment_id;
};

struct NewAnswer {
    std::string principal;
    Idempotency idempotency;
    StoredAnswer answer;  // created_at: at.wall
    Stamp at;
};

// What the store does by itself; see batch/sweeper.hpp.
struct UpkeepChanges {
    std::optional<Duration> running{};         // of the hour that has not ended
    std::optional<std::int64_t> ended_hour{};  // noted with the token issued last
    std::optional<std::int64_t> forget_hours_before{};
    std::vector<std::int64_t> forgotten_answers{};  // their ids
    std::vector<OldLease> forgotten_leases{};       // and the names that they head

    [[nodiscard]] bool is_empty() const noexcept {
        return !running && !ended_hour && !forget_hours_before && forgotten_answers.empty() &&
               forgotten_leases.empty();
    }
};

struct Changes {
    std::optional<lockmgr::TokenCounter> counter{};
    std::vector<NewLease> granted{};
    std::vector<NewHead> heads{};
    std::vector<LeaseChange> leases{};  // of those that were granted just now too
    std::vector<NewRefusal> refusals{};
    std::vector<ElectionChange> elections{};
    std::vector<Run> runs{};  // inserted or replaced
    std::vector<Payment> new_payments{};
    std::vector<Payment> payments{};  // that were there
    std::vector<NewReference> references{};
    LedgerChanges ledger{};
    std::vector<NewAnswer> answers{};
    std::vector<Consumer> consumers{};  // inserted or replaced
    std::vector<std::string> forgotten_consumers{};
    UpkeepChanges upkeep{};

    [[nodiscard]] bool is_empty() const noexcept {
        return !counter && granted.empty() && heads.empty() && leases.empty() && refusals.empty() &&
               elections.empty() && runs.empty() && new_payments.empty() && payments.empty() &&
               references.empty() && ledger.is_empty() && answers.empty() && consumers.empty() &&
               forgotten_consumers.empty() && upkeep.is_empty();
    }
};

}  // namespace fencegate::storage
