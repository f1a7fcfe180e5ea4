#include "tests/simulation/row_checks.hpp"

#include "storage/payment.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/simulation/violation.hpp"

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

void check_lease(const HeldLease& lease, const Rows& rows) {
    const auto found = rows.leases.find(lease.token);
    const auto what = text_of("token ", lease.token, " on ", text_of_locks(lease.locks));
    if (found == rows.leases.end()) throw Violation(Rule::S5Durable, what + " is lost");
    const auto& row = found->second;
    if (row.state != lease.state)
        throw Violation(rule_of_state(lease.state, row.state),
                        what + " is " + std::string(name_of(row.state)) + " in the rows and was " +
                            std::string(name_of(lease.state)));
    if (row.id != lease.id || LockSet{row.lock} != lease.locks ||
        row.principal != lease.principal || row.owner != lease.owner ||
        row.metadata != lease.metadata)
        throw Violation(Rule::S5Durable, what + " is another lease than was granted");
    if (row.refused != lease.refused)
        throw Violation(Rule::Record, text_of(what, " has ", row.refused, " refused writes, not ",
                                              lease.refused));
    if (lease.is_live() && row.ttl_ms != lease.ttl.count())
        throw Violation(Rule::L2LeaseLasts, what + " lost the time it was given");
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
        const bool is_body_same = record.is_grant || row.body == record.body;
        if (row.error != error || !is_body_same || row.request_id != record.request_id)
            throw Violation(Rule::S6OnceAKey, "the key " + key + " keeps another answer than told");
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

}  // namespace

void check_same(const Timeline& timeline, const Rows& rows) {
    for (const auto& [token, lease] : timeline.leases) check_lease(lease, rows);
    for (const auto& [token, row] : rows.leases) {
        if (!timeline.leases.contains(token))
            throw Violation(Rule::S7RefusalIsFinal,
                            text_of("token ", token, " on ", row.lock, " was granted to nobody"));
    }
    for (const auto& [id, payment] : timeline.payments) check_payment(id, payment, rows);
    if (rows.payments.size() != timeline.payments.size())
        throw Violation(Rule::S7RefusalIsFinal, "there is a payment nobody made");
    if (rows.transfers.size() != timeline.transfers)
        throw Violation(
            rows.transfers.size() < timeline.transfers ? Rule::S5Durable : Rule::S7RefusalIsFinal,
            text_of(rows.transfers.size(), " movements instead of ", timeline.transfers));
    check_keys(timeline, rows);
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
    std::map<std::string, std::int64_t> holder;
    for (const auto& [token, row] : rows.leases) {
        if (row.state != LeaseState::Live) continue;
        if (const auto [other, is_first] = holder.emplace(row.lock, token); !is_first)
            throw Violation(Rule::Exclusion,
                            text_of("tokens ", other->second, " and ", token, " hold ", row.lock));
    }
    struct Sums {
        std::int64_t authorized = 0;
        std::int64_t captured = 0;
        std::int64_t refunded = 0;
    };
    std::map<std::string, Sums> sums;
    std::map<std::string, std::int64_t> refunds;
    for (const auto& [id, row] : rows.transfers) {
        auto& sum = sums[row.payment];
        const auto kind = static_cast<storage::TransferKind>(row.kind);
        if (kind == storage::TransferKind::Authorize) sum.authorized += row.amount;
        if (kind == storage::TransferKind::Capture) sum.captured += row.amount;
        if (kind != storage::TransferKind::Refund) continue;
        sum.refunded += row.amount;
        if (++refunds[row.principal + " " + row.reason] > 1)  // the reason is the key
            throw Violation(Rule::S6OnceAKey, "the key " + row.reason + " refunded twice");
    }
    for (const auto& [id, row] : rows.payments) {
        const auto& sum = sums[id];
        if (row.authorized != sum.authorized || row.captured != sum.captured ||
            row.refunded != sum.refunded || row.refunded < 0 || row.refunded > row.captured ||
            row.captured > row.authorized)
            throw Violation(Rule::Money, "the payment " + id + " and its movements differ");
    }
}

}  // namespace fencegate::simulation
