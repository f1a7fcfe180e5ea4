// Elections, runs, answers, consumers, and what forgetting needs.
#include "storage/memory/memory_rows.hpp"

#include <algorithm>
#include <ranges>

namespace fencegate::storage::memory {

using lockmgr::LockName;
using lockmgr::RunState;

void ElectionRows::write(const Changes& changes) {
    for (const auto& [name, proclamation] : changes.elections) elections_.put(name, proclamation);
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

void RunRows::write(const Changes& changes) {
    for (const auto& run : changes.runs) {
        const auto before = find(run.job, run.slot);
        if (before && (before->state == RunState::Done || before->state == RunState::Missed))
            return transaction_.refuse("done and missed are final");
        runs_.put({run.job, run.slot}, run);
    }
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

void AnswerRows::write(const Changes& changes) {
    for (const auto& [principal, idempotency, answer, at] : changes.answers) {
        if (answers_.find(idempotency.digest) != nullptr)
            return transaction_.refuse("the key was answered");
        Row row{.answer = answer, .principal = principal, .key = idempotency.key};
        row.answer.created_at = at.wall;
        answers_.put(idempotency.digest, std::move(row));
        const auto newest = by_age.rows().empty() ? 0 : by_age.rows().rbegin()->first;
        by_age.put(newest + 1, {at.hour, idempotency.digest});
    }
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

void ConsumerRows::write(const Changes& changes) {
    for (const auto& consumer : changes.consumers) consumers_.put(consumer.name, consumer);
    for (const auto& name : changes.forgotten_consumers) consumers_.erase(name);
}

std::optional<std::int64_t> UpkeepRows::hour() {
    if (!transaction_.goes_on()) return std::nullopt;
    return hours_.rows().empty() ? 0 : hours_.rows().rbegin()->first + 1;
}

Duration UpkeepRows::running() {
    const auto* ran = transaction_.goes_on() ? running_.find(1) : nullptr;
    return ran == nullptr ? Duration(0) : *ran;
}

void UpkeepRows::write(const UpkeepChanges& changes) {
    if (changes.running) running_.put(1, *changes.running);
    if (changes.ended_hour) end_hour(*changes.ended_hour);
    if (const auto hour = changes.forget_hours_before) {
        while (!hours_.rows().empty() && hours_.rows().begin()->first < *hour)
            hours_.erase(std::int64_t{hours_.rows().begin()->first});
    }
    for (const auto answer : changes.forgotten_answers) answers_.forget(answer);
    for (const auto& lease : changes.forgotten_leases) forget(lease);
}

void UpkeepRows::end_hour(std::int64_t hour) {
    const auto counter = leases_.counter();
    if (!counter) return;
    hours_.put(hour, (counter->epoch << lockmgr::kTokenSequenceBits) + counter->sequence);
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
