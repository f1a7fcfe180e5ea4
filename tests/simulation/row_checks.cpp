#include "tests/simulation/row_checks.hpp"

#include "storage/money/payment.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/simulation/violation.hpp"

#include <algorithm>
#include <set>

namespace fencegate::simulation {
namespace {

constexpr std::string_view kStates[] = {"live", "expired", "superseded", "released", "broken"};

std::string_view name_of(LeaseState state) { return kStates[static_cast<std::size_t>(state)]; }

Rule rule_of_state(LeaseState told, LeaseState found) {
    if (found == LeaseState::Live) return Rule::EndedStaysEnded;
    if (told == LeaseState::Live) return Rule::L2LeaseLasts;
    return Rule::S5Durable;
}

constexpr std::int64_t kRefusalsKept = 100;

void check_record(const std::string& what, const HeldLease& lease, const LeaseRow& row) {
    if (row.refused != lease.refused || row.refusals_kept != std::min(row.refused, kRefusalsKept))
        throw Violation(Rule::Record,
                        text_of(what, " has ", row.refused, " refused writes, ", row.refusals_kept,
                                " of them kept; were ", lease.refused));
    if (row.previous != lease.previous)
        throw Violation(Rule::Record, what + " follows another lease than it did");
    if (!lease.is_live() && row.ended_hour != lease.ended_hour)
        throw Violation(Rule::Kept, text_of(what, " ended in hour ", lease.ended_hour,
                                            " and counts from hour ", row.ended_hour));
}

void check_lease(const HeldLease& lease, const Rows& rows) {
    const auto found = rows.leases.find(lease.token);
    const auto what = text_of("token ", lease.token, " on ", text_of_locks(lease.locks));
    if (found == rows.leases.end()) throw Violation(Rule::S5Durable, what + " is lost");
    const auto& row = found->second;
    if (row.state != lease.state)
        throw Violation(rule_of_state(lease.state, row.state),
                        what + " is " + std::string(name_of(row.state)) + " in the rows and was " +
                            std::string(name_of(lease.state)));
    if (row.locks != lease.locks)
        throw Violation(Rule::AllOrNone, what + " has " + text_of_locks(row.locks));
    if (row.id != lease.id || row.claim != lease.claim || row.principal != lease.principal ||
        row.owner != lease.owner || row.metadata != lease.metadata)
        throw Violation(Rule::S5Durable, what + " is another lease than was granted");
    check_record(what, lease, row);
    if (lease.is_live() && row.ttl_ms != lease.ttl.count())
        throw Violation(Rule::L2LeaseLasts, what + " lost the time it was given");
}

// A lock that is held is in the list of locks, and its history begins with the newest lease.
void check_heads(const Timeline& timeline, const Rows& rows) {
    for (const auto& [token, lease] : timeline.leases) {
        for (const auto& lock : lease.locks) {
            if (lease.is_live() && !rows.heads.contains(lock))
                throw Violation(Rule::Record, lock + " is held and not in the list of locks");
        }
    }
    if (rows.heads != timeline.heads)
        throw Violation(Rule::Record, "the history of a lock begins with another lease");
}

void check_runs(const Timeline& timeline, const Rows& rows) {
    for (const auto& [lock, run] : timeline.runs) {
        const auto found = rows.runs.find(lock);
        if (found == rows.runs.end()) throw Violation(Rule::RunOnce, lock + " is lost");
        if (found->second == run) continue;
        throw Violation(Rule::RunOnce, text_of(lock, " is ", run_state_name(found->second.state),
                                               " under token ", found->second.token, "; told was ",
                                               run_state_name(run.state), " under ", run.token));
    }
    if (rows.runs.size() != timeline.runs.size())
        throw Violation(Rule::RunOnce, "there is a run nobody claimed");
    if (rows.elections != timeline.elections)
        throw Violation(Rule::S5Durable, "an election tells another value than was proclaimed");
}

void check_keys(const Timeline& timeline, const Rows& rows) {
    std::set<std::string> seen;
    for (const auto& [id, row] : rows.answers) {
        const auto key = row.principal + " " + row.key;
        const auto known = timeline.keys.find(key);
        if (known == timeline.keys.end())
            throw Violation(Rule::S7RefusalIsFinal,
                            "the key " + key + " has an answer nobody was given: " + row.error);
        if (!seen.insert(key).second)
            throw Violation(Rule::S6OnceAKey, "the key " + key + " has two answers");
        const auto& record = known->second;
        const auto error = record.refusal ? code_name(*record.refusal) : std::string_view();
        const bool is_body_same = record.is_of_lease || row.body == record.body;
        if (row.error != error || !is_body_same || row.request_id != record.request_id)
            throw Violation(Rule::S6OnceAKey, "the key " + key + " keeps another answer than told");
        if (row.is_released != record.is_released)
            throw Violation(Rule::S6OnceAKey,
                            "the key " + key + " tells the end of its lease otherwise than told");
        if (row.created_hour != record.hour)
            throw Violation(Rule::Kept, "the answer under " + key + " has another age");
    }
    for (const auto& [key, record] : timeline.keys) {
        if (!seen.contains(key))
            throw Violation(Rule::S6OnceAKey, "the key " + key + " has lost its answer");
    }
}

void check_payment(const std::string& id, const HeldPayment& payment, const Rows& rows) {
    const auto found = rows.payments.find(id);
    if (found == rows.payments.end())
        throw Violation(Rule::S5Durable, "the payment " + id + " is lost");
    const auto& row = found->second;
    if (row.state == static_cast<std::int64_t>(payment.state) &&
        row.authorized == payment.authorized && row.captured == payment.captured &&
        row.refunded == payment.refunded)
        return;
    const bool is_less = row.refunded < payment.refunded || row.captured < payment.captured;
    throw Violation(
        is_less ? Rule::S5Durable : Rule::S7RefusalIsFinal,
        text_of("the payment ", id, " has ", row.captured, " captured and ", row.refunded,
                " refunded; told were ", payment.captured, " and ", payment.refunded));
}

// Beside each other: readers, or as many users of a semaphore as all of them agree on.
void check_exclusion(const Rows& rows) {
    std::map<std::string, std::vector<const LeaseRow*>> holders;
    for (const auto& [token, row] : rows.leases) {
        if (row.state != LeaseState::Live) continue;
        for (const auto& lock : row.locks) holders[lock].push_back(&row);
    }
    for (const auto& [lock, leases] : holders) {
        if (leases.size() == 1) continue;
        const auto& claim = leases[0]->claim;
        const auto agree = [&](const LeaseRow* lease) { return lease->claim == claim; };
        const bool is_shared = claim.mode == LockMode::Shared;
        const bool has_permits = claim.mode == LockMode::Semaphore &&
                                 leases.size() <= static_cast<std::size_t>(claim.permits);
        if ((is_shared || has_permits) && std::ranges::all_of(leases, agree)) continue;
        throw Violation(Rule::Exclusion,
                        text_of(leases.size(), " leases hold ", lock, ", the first for ",
                                lock_mode_name(claim.mode), " of ", claim.permits));
    }
}

void check_money(const Rows& rows) {
    struct Sums {
        std::int64_t authorized = 0;
        std::int64_t captured = 0;
        std::int64_t refunded = 0;
    };
    std::map<std::string, Sums> sums;
    for (const auto& [id, row] : rows.transfers) {
        auto& sum = sums[row.payment];
        const auto kind = static_cast<storage::TransferKind>(row.kind);
        if (kind == storage::TransferKind::Authorize) sum.authorized += row.amount;
        if (kind == storage::TransferKind::Capture) sum.captured += row.amount;
        if (kind == storage::TransferKind::Refund) sum.refunded += row.amount;
    }
    for (const auto& [id, row] : rows.payments) {
        const auto& sum = sums[id];
        if (row.authorized != sum.authorized || row.captured != sum.captured ||
            row.refunded != sum.refunded || row.refunded < 0 || row.refunded > row.captured ||
            row.captured > row.authorized)
            throw Violation(Rule::Money, "the payment " + id + " and its movements differ");
    }
}

}  // namespace

void check_once_a_key(const Timeline& timeline, const Rows& rows) {
    std::set<std::string> refunded;
    for (const auto& [id, row] : rows.transfers) {
        if (row.kind != static_cast<std::int64_t>(storage::TransferKind::Refund)) continue;
        const auto key = row.principal + " " + row.reason;  // the reason is the key
        const auto forgotten = timeline.forgotten_keys.find(key);
        if (forgotten != timeline.forgotten_keys.end() && id <= forgotten->second) continue;
        if (!refunded.insert(key).second)
            throw Violation(Rule::S6OnceAKey, "the key " + row.reason + " refunded twice");
    }
}

void check_same(const Timeline& timeline, const Rows& rows) {
    for (const auto& [token, lease] : timeline.leases) check_lease(lease, rows);
    for (const auto& [token, row] : rows.leases) {
        if (!timeline.leases.contains(token))
            throw Violation(Rule::S7RefusalIsFinal,
                            text_of("token ", token, " on ", text_of_locks(row.locks),
                                    " was granted to nobody"));
    }
    for (const auto& [id, payment] : timeline.payments) check_payment(id, payment, rows);
    if (rows.payments.size() != timeline.payments.size())
        throw Violation(Rule::S7RefusalIsFinal, "there is a payment nobody made");
    if (rows.transfers.size() != timeline.transfers)
        throw Violation(
            rows.transfers.size() < timeline.transfers ? Rule::S5Durable : Rule::S7RefusalIsFinal,
            text_of(rows.transfers.size(), " movements instead of ", timeline.transfers));
    if (rows.hour != timeline.hour)
        throw Violation(Rule::Kept, text_of("hour ", rows.hour, " after ", timeline.hour));
    check_keys(timeline, rows);
    check_heads(timeline, rows);
    check_runs(timeline, rows);
}

bool is_same(const Timeline& timeline, const Rows& rows) {
    try {
        check_same(timeline, rows);
        return true;
    } catch (const Violation&) {
        return false;
    }
}

void check_sound(const Rows& rows) {
    check_exclusion(rows);
    check_money(rows);
}

}  // namespace fencegate::simulation
