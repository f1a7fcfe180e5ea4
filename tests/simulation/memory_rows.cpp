#include "tests/simulation/memory_rows.hpp"

#include "base/check.hpp"
#include "base/uuid.hpp"

#include <utility>

namespace fencegate::simulation {

namespace memory = storage::memory;

namespace {

std::int64_t number_of(const std::optional<lockmgr::FencingToken>& token) {
    return token ? token->value() : 0;
}

// Nothing else of a lease can be changed once it is there.
bool is_same(const LeaseRow& known, const memory::LeaseRow& row) {
    return known.state == row.lease.state && known.ttl_ms == row.lease.ttl.count() &&
           known.refused == row.refused && known.ended_hour == row.ended_hour;
}

AnswerRow answer_of(const memory::AnswerRows::Row& row, std::int64_t hour) {
    const auto& answer = row.answer;
    AnswerRow read{.principal = row.principal,
                   .key = row.key,
                   .token = std::nullopt,
                   .error = answer.error ? std::string(code_name(*answer.error)) : std::string(),
                   .body = answer.body,
                   .resource_id = answer.resource_id,
                   .request_id = answer.request_id,
                   .created_hour = hour,
                   .is_released = answer.is_released};
    if (answer.token) read.token = answer.token->value();
    return read;
}

}  // namespace

MemoryRows::MemoryRows(const storage::Readers& rows)
    : leases_(dynamic_cast<memory::LeaseRows&>(rows.leases)),
      refusals_(dynamic_cast<memory::RefusalRows&>(rows.refusals)),
      elections_(dynamic_cast<memory::ElectionRows&>(rows.elections)),
      runs_(dynamic_cast<memory::RunRows&>(rows.runs)),
      payments_(dynamic_cast<memory::PaymentRows&>(rows.payments)),
      answers_(dynamic_cast<memory::AnswerRows&>(rows.answers)),
      ledger_(dynamic_cast<memory::LedgerRows&>(rows.ledger)),
      upkeep_(dynamic_cast<memory::UpkeepRows&>(rows.upkeep)) {}

const Rows& MemoryRows::refresh() {
    has_changed_ = false;
    read_leases();
    read_answers();
    read_transfers();
    read_payments();
    read_roles();
    read_counters();
    return rows_;
}

// Side by side: both are in the order of their tokens.
void MemoryRows::read_leases() {
    auto known = rows_.leases.begin();
    const auto forget_until = [&](std::optional<std::int64_t> token) {
        while (known != rows_.leases.end() && (!token || known->first < *token)) {
            known = rows_.leases.erase(known);
            has_changed_ = true;
        }
    };
    for (const auto& [token, row] : leases_.leases.rows()) {
        forget_until(token.value());
        const bool is_known = known != rows_.leases.end() && known->first == token.value();
        if (!is_known || !is_same(known->second, row)) {
            known = rows_.leases.insert_or_assign(known, token.value(), lease_of(row));
            has_changed_ = true;
        }
        ++known;
    }
    forget_until(std::nullopt);
    rows_.heads.clear();
    for (const auto& [lock, token] : leases_.heads.rows())
        rows_.heads.emplace_hint(rows_.heads.end(), lock.value(), token.value());
}

LeaseRow MemoryRows::lease_of(const memory::LeaseRow& row) const {
    const auto& lease = row.lease;
    LeaseRow read{.id = to_string(lease.id),
                  .locks = {},
                  .previous = {},
                  .claim = lease.claim,
                  .principal = lease.principal,
                  .owner = lease.owner,
                  .metadata = lease.metadata_json,
                  .ttl_ms = lease.ttl.count(),
                  .state = lease.state,
                  .refused = row.refused,
                  .refusals_kept = 0,
                  .ended_hour = row.ended_hour};
    for (const auto& lock : lease.locks) {
        read.locks.push_back(lock.value());
        read.previous.push_back(number_of(row.before.at(lock)));
    }
    const auto& refusals = refusals_.refusals.rows();
    for (auto at = refusals.lower_bound({lease.token, 0});
         at != refusals.end() && at->first.first == lease.token; ++at)
        ++read.refusals_kept;
    return read;
}

// Ids begin anew once nothing is kept: the key tells whether it is the answer that is known.
void MemoryRows::read_answers() {
    const auto& ages = answers_.by_age.rows();
    std::erase_if(keys_, [&](const auto& known) {
        const auto& [id, key] = known;
        const auto age = ages.find(id);
        if (age != ages.end() && age->second.digest == key) return false;
        has_changed_ = rows_.answers.erase(id) > 0 || has_changed_;
        return true;
    });
    if (keys_.size() == ages.size()) return;
    for (const auto& [id, age] : ages) {
        if (!keys_.emplace(id, age.digest).second) continue;
        const auto answer = answers_.all().find(age.digest);
        FG_CHECK(answer != answers_.all().end());
        rows_.answers[id] = answer_of(answer->second, age.hour);
        has_changed_ = true;
    }
}

// The journal only grows.
void MemoryRows::read_transfers() {
    const auto& entries = ledger_.entries.rows();
    auto at = entries.begin();
    if (!rows_.transfers.empty()) at = entries.upper_bound(rows_.transfers.rbegin()->first);
    for (; at != entries.end(); ++at) {
        const auto& entry = at->second;
        rows_.transfers[at->first] = {.payment = entry.payment_id,
                                      .kind = static_cast<std::int64_t>(entry.kind),
                                      .amount = entry.amount_minor,
                                      .token = number_of(entry.token),
                                      .reason = entry.reason,
                                      .principal = entry.principal};
    }
    FG_CHECK(entries.size() == rows_.transfers.size());
}

void MemoryRows::read_payments() {
    rows_.payments.clear();
    for (const auto& [id, payment] : payments_.all()) {
        rows_.payments[id] = {.state = static_cast<std::int64_t>(payment.state),
                              .authorized = payment.authorized_minor,
                              .captured = payment.captured_minor,
                              .refunded = payment.refunded_minor};
    }
}

void MemoryRows::read_roles() {
    std::map<std::string, RecordedRun> runs;
    for (const auto& [key, run] : runs_.all()) {
        runs["runs/" + run.job + "/" + run.slot] = {.state = run.state,
                                                    .attempts = run.attempts,
                                                    .token = number_of(run.token),
                                                    .result = run.result};
    }
    std::map<std::string, Proclaimed> elections;
    for (const auto& [election, said] : elections_.all())
        elections[election] = {number_of(said.token), said.value_json};
    has_changed_ = has_changed_ || runs != rows_.runs || elections != rows_.elections;
    rows_.runs = std::move(runs);
    rows_.elections = std::move(elections);
}

void MemoryRows::read_counters() {
    const auto counter = leases_.counter();
    FG_CHECK(counter.has_value());
    rows_.epoch = counter->epoch;
    rows_.sequence = counter->sequence;
    const auto hour = *upkeep_.hour();
    const auto ran_ms = upkeep_.running().count();
    has_changed_ = has_changed_ || hour != rows_.hour || ran_ms != rows_.ran_ms;
    rows_.hour = hour;
    rows_.ran_ms = ran_ms;
}

}  // namespace fencegate::simulation
