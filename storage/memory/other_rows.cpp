// Elections, runs, answers, consumers, and what forgetting needs.
#include "storage/memory/memory_rows.hpp"

#include <algorithm>
#include <ranges>

namespace fencegate::storage::memory {

using lockmgr::LockName;
using lockmgr::RunState;

void ElectionRows::proclaim(std::string_view election, Token token, std::string_view value,
                            WallTime now) {
    if (!transaction_.goes_on()) return;
    elections_.put(std::string(election), {token, std::string(value), now});
}

std::optional<Proclamation> ElectionRows::find(std::string_view election) {
    const auto* found = transaction_.goes_on() ? elections_.find(std::string(election)) : nullptr;
    if (found == nullptr) return std::nullopt;
    return *found;
}

std::optional<Run> RunRows::find(std::string_view job, std::string_view slot) {
    const auto* found =
        transaction_.goes_on() ? runs_.find({std::string(job), std::string(slot)}) : nullptr;
    if (found == nullptr) return std::nullopt;
    return *found;
}

void RunRows::put(const Run& run) {
    const auto before = find(run.job, run.slot);
    if (before && (before->state == RunState::Done || before->state == RunState::Missed))
        return transaction_.refuse("done and missed are final");
    if (transaction_.goes_on()) runs_.put({run.job, run.slot}, run);
}

std::vector<Run> RunRows::list(std::string_view job, std::string_view before, int limit) {
    std::vector<Run> runs;
    if (!transaction_.goes_on()) return runs;
    for (const auto& [key, run] : std::views::reverse(runs_.rows())) {
        if (runs.size() == static_cast<std::size_t>(limit)) break;
        if (run.job == job && (before.empty() || run.slot < before)) runs.push_back(run);
    }
    return runs;
}

std::optional<StoredAnswer> AnswerRows::find(std::string_view principal,
                                             const Idempotency& idempotency) {
    const auto* found = transaction_.goes_on() ? answers_.find(idempotency.digest) : nullptr;
    if (found == nullptr) return std::nullopt;
    auto answer = found->answer;
    answer.is_foreign = found->principal != principal || found->key != idempotency.key;
    return answer;
}

void AnswerRows::insert(std::string_view principal, const Idempotency& idempotency,
                        const StoredAnswer& answer, Stamp now) {
    if (!transaction_.goes_on()) return;
    if (answers_.find(idempotency.digest) != nullptr)
        return transaction_.refuse("the key was answered");
    Row row{.answer = answer, .principal = std::string(principal), .key = idempotency.key};
    row.answer.created_at = now.wall;
    answers_.put(idempotency.digest, std::move(row));
    const auto newest = by_age.rows().empty() ? 0 : by_age.rows().rbegin()->first;
    by_age.put(newest + 1, {now.hour, idempotency.digest});
}

void AnswerRows::forget(std::int64_t id) {
    const auto* age = by_age.find(id);
    if (age == nullptr) return;
    answers_.erase(age->digest);
    by_age.erase(id);
}

std::optional<Consumer> ConsumerRows::find(const std::string& name) {
    const auto* found = transaction_.goes_on() ? consumers_.find(name) : nullptr;
    if (found == nullptr) return std::nullopt;
    return *found;
}

std::int64_t ConsumerRows::count_of(const std::string& principal) {
    if (!transaction_.goes_on()) return 0;
    return std::ranges::count_if(
        consumers_.rows(), [&](const auto& entry) { return entry.second.principal == principal; });
}

void ConsumerRows::put(const Consumer& consumer) {
    if (transaction_.goes_on()) consumers_.put(consumer.name, consumer);
}

void ConsumerRows::erase(const std::string& name) {
    if (transaction_.goes_on()) consumers_.erase(name);
}

std::optional<std::int64_t> UpkeepRows::hour() {
    if (!transaction_.goes_on()) return std::nullopt;
    return hours_.rows().empty() ? 0 : hours_.rows().rbegin()->first + 1;
}

Duration UpkeepRows::running() {
    const auto* ran = transaction_.goes_on() ? running_.find(1) : nullptr;
    return ran == nullptr ? Duration(0) : *ran;
}

void UpkeepRows::note_running(Duration ran) {
    if (transaction_.goes_on()) running_.put(1, ran);
}

void UpkeepRows::end_hour(std::int64_t hour) {
    const auto counter = leases_.counter();
    if (!counter) return;
    hours_.put(hour, (counter->epoch << lockmgr::kTokenSequenceBits) + counter->sequence);
}

void UpkeepRows::forget_hours_before(std::int64_t hour) {
    if (!transaction_.goes_on()) return;
    while (!hours_.rows().empty() && hours_.rows().begin()->first < hour)
        hours_.erase(std::int64_t{hours_.rows().begin()->first});
}

std::int64_t UpkeepRows::last_token_of(std::int64_t hour) {
    const auto* token = transaction_.goes_on() ? hours_.find(hour) : nullptr;
    return token == nullptr ? 0 : *token;
}

std::vector<UpkeepRows::OldAnswer> UpkeepRows::oldest_answers(std::size_t limit) {
    std::vector<OldAnswer> answers;
    if (!transaction_.goes_on()) return answers;
    for (const auto& [id, age] : answers_.by_age.rows() | std::views::take(limit))
        answers.push_back({id, age.hour});
    return answers;
}

void UpkeepRows::forget_answer(std::int64_t id) {
    if (transaction_.goes_on()) answers_.forget(id);
}

std::vector<OldLease> UpkeepRows::leases_between(std::int64_t after, std::int64_t until,
                                                 std::size_t limit) {
    std::vector<OldLease> leases;
    if (!transaction_.goes_on()) return leases;
    for (const auto& [token, row] : leases_.leases.rows()) {
        if (token.value() <= after || token.value() > until) continue;
        if (leases.size() == limit) break;
        leases.push_back({.token = token,
                          .state = row.lease.state,
                          .ended_hour = row.ended_hour,
                          .lock = row.lease.locks.front(),
                          .has_more_rows = row.lease.locks.size() > 1 || row.refused > 0});
    }
    return leases;
}

std::vector<LockName> UpkeepRows::headed_by(const OldLease& lease) {
    std::vector<LockName> locks;
    const auto* row = transaction_.goes_on() ? leases_.leases.find(lease.token) : nullptr;
    if (row == nullptr) return locks;
    for (const auto& lock : row->lease.locks) {
        const auto* head = leases_.heads.find(lock);
        if (head != nullptr && *head == lease.token) locks.push_back(lock);
    }
    return locks;
}

void UpkeepRows::forget(const OldLease& lease) {
    for (const auto& lock : headed_by(lease)) leases_.heads.erase(lock);
    if (!transaction_.goes_on()) return;
    leases_.leases.erase(lease.token);
    while (true) {
        const auto& all = refusals_.refusals.rows();
        const auto first = all.lower_bound({lease.token, 0});
        if (first == all.end() || first->first.first != lease.token) return;
        refusals_.refusals.erase(std::pair(first->first));
    }
}

}  // namespace fencegate::storage::memory
