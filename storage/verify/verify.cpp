#include "storage/verify/verify.hpp"

#include "storage/verify/verify_checks.hpp"

#include <functional>
#include <limits>

namespace fencegate::storage {

void Check::fault(std::string what) {
    ++result_.faults;
    if (result_.first.size() < CheckResult::kToldMax) result_.first.push_back(std::move(what));
}

void Check::add(const Check& part) {
    result_.looked_at += part.result_.looked_at;
    result_.faults += part.result_.faults;
    for (const auto& line : part.result_.first) {
        if (result_.first.size() < CheckResult::kToldMax) result_.first.push_back(line);
    }
}

namespace {

// A row that cannot be read ends the part that needed it, and no other.
void run(RowsToVerify& rows, Check& tells, const std::function<void()>& part) {
    part();
    if (const auto damage = rows.take_damage())
        tells.fault("cannot be read to the end: " + *damage);
}

std::vector<CheckResult> results_of(const Checks& of) {
    std::vector<CheckResult> results;
    for (const auto* check :
         {&of.journal_ids,    &of.journal_seals,  &of.journal_times, &of.journal_accounts,
          &of.movements,      &of.balances,       &of.marks,         &of.payment_amounts,
          &of.payment_states, &of.payment_chains, &of.references,    &of.consumers,
          &of.one_effect,     &of.answers,        &of.fence_order,   &of.fence_leases,
          &of.lease_chains,   &of.one_holder,     &of.token_counter, &of.expected_head})
        results.push_back(check->result());
    return results;
}

}  // namespace

VerifyReport verify_rules(RowsToVerify& rows, const VerifyOptions& options, Check& origin) {
    Checks checks;
    VerifyReport report;
    StoreFacts facts;
    run(rows, origin, [&] { facts = facts_of(rows); });
    run(rows, checks.journal_seals,
        [&] { check_journal(rows, facts, options, checks, report.head); });
    std::int64_t first_kept = std::numeric_limits<std::int64_t>::max();
    run(rows, checks.payment_chains,
        [&] { first_kept = check_payments(rows, facts, options, checks); });
    run(rows, checks.fence_leases, [&] { check_late_writes(rows, facts, options, checks); });
    run(rows, checks.one_effect, [&] { check_keys(rows, facts, first_kept, options, checks); });
    run(rows, checks.lease_chains, [&] { check_leases(rows, facts, options, checks); });
    report.checks = results_of(checks);
    return report;
}

}  // namespace fencegate::storage
