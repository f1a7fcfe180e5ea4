#include "tests/simulation/oracle.hpp"

#include "storage/model/operation.hpp"
#include "storage/money/payment.hpp"
#include "tests/simulation/row_checks.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/support/tokens.hpp"

#include <algorithm>

namespace fencegate::simulation {

std::string metadata_for(const std::string& request_id) {
    return "{\"request\":\"" + request_id + "\"}";
}

std::string requested_by(const std::string& metadata) {
    const auto frame = metadata_for("").size();
    if (metadata.size() <= frame) return {};
    return metadata.substr(frame - 2, metadata.size() - frame);
}

void Oracle::opened(BootTime now, Duration ran) {
    alarms_.opened(now, ran);
    looks_.opened(now);
}

void Oracle::looked(BootTime now) {
    const auto stall = looks_.look(now);
    if (stall > stall.zero()) timeline_.postpone(stall);
}

void Oracle::committed(const BatchFacts& batch, const Answers& answers, const Rows& rows,
                       bool wrote) {
    looked(batch.now);
    auto before = batch.was_full ? timeline_ : Timeline{};
    Judge judge(timeline_, history_, rows, terms_, batch, &answers);
    judge.judge();
    timeline_.start_clocks(batch.done - batch.now, looks_.look(batch.done));
    history_.highest_token = judge.highest_token();
    const auto hour = timeline_.hour;
    forget_old(timeline_, rows, batch.now);
    alarms_.ran({.now = batch.now,
                 .had_commands = !batch.requests.empty(),
                 .has_moved_lines = judge.has_moved_lines(),
                 .was_full = batch.was_full,
                 .timers_waited = batch.timers_waited,
                 .has_counted_hour = timeline_.hour != hour,
                 .noted = Duration(rows.ran_ms)});
    refused_.insert(judge.refused().begin(), judge.refused().end());
    settle(rows);
    if (wrote) unknown_.clear();
    if (batch.was_full) note_full(std::move(before), batch, answers, wrote);
}

// The store tried the batch as a whole, then each command alone.
void Oracle::note_full(Timeline before, const BatchFacts& batch, const Answers& answers,
                       bool wrote) {
    auto whole = batch;
    whole.was_full = false;
    for (const auto& request : batch.requests) {
        const auto answer = answers.find(request.ticket);
        if (answer == answers.end() || !answer->second.error ||
            answer->second.error->code != ErrorCode::StoreFull)
            continue;
        auto one = whole;
        one.requests = {request};
        unknown_.push_back({wrote ? timeline_ : before, std::move(one)});
    }
    if (!wrote) unknown_.push_back({std::move(before), std::move(whole)});
}

void Oracle::settle(const Rows& rows) {
    check_sound(rows);
    check_same(timeline_, rows);
    check_once_a_key(timeline_, rows);
    check_new_transfers(rows);
}

void Oracle::forget_old(Timeline& timeline, const Rows& rows, BootTime now) const {
    const auto hours = rows.hour - timeline.hour;
    if (hours < 0 || hours > 1 || (hours == 1 && !alarms_.is_hour_over(now)))
        throw Violation(Rule::Kept, text_of("hour ", rows.hour, " after ", timeline.hour));
    timeline.hour = rows.hour;
    timeline.just_forgotten.clear();
    std::set<std::string> kept;
    for (const auto& [id, row] : rows.answers) kept.insert(row.principal + " " + row.key);
    std::erase_if(timeline.keys, [&](const auto& entry) {
        const auto& [key, record] = entry;
        const bool is_old = record.hour + terms_.retention.idempotency.count() < rows.hour;
        if (!is_old || kept.contains(key)) return false;
        timeline.forgotten_keys[key] = rows.transfers.empty() ? 0 : rows.transfers.rbegin()->first;
        return true;
    });
    std::erase_if(timeline.leases, [&](const auto& entry) {
        const auto& [token, lease] = entry;
        const bool is_old =
            !lease.is_live() && lease.ended_hour + terms_.retention.history.count() < rows.hour;
        if (!is_old || rows.leases.contains(token)) return false;
        timeline.just_forgotten.insert(token);
        const auto is_head = [&](const auto& head) { return head.second == lease.token; };
        std::erase_if(timeline.heads, is_head);
        return true;
    });
}

// The fence once more, from the rows alone.
void Oracle::check_new_transfers(const Rows& rows) {
    for (auto at = rows.transfers.upper_bound(last_transfer_); at != rows.transfers.end(); ++at) {
        last_transfer_ = at->first;
        const auto& row = at->second;
        if (row.kind != static_cast<std::int64_t>(storage::TransferKind::Refund)) continue;
        const auto lock = "payments/" + row.payment;
        const auto what = text_of("a refund of ", row.payment, " under token ", row.token);
        const auto lease = rows.leases.find(row.token);
        const auto& gone = timeline_.just_forgotten;
        if (lease == rows.leases.end() && gone.contains(row.token)) continue;  // a late write
        if (lease == rows.leases.end() || std::ranges::count(lease->second.locks, lock) == 0)
            throw Violation(Rule::S2AtomicFence, what + ", which never held its lock");
        if (lease->second.claim.mode != LockMode::Exclusive)
            throw Violation(Rule::S2AtomicFence, what + ", which did not hold it alone");
        if (lease->second.principal != row.principal)
            throw Violation(Rule::Holder, what + " by " + row.principal);
        const auto told = history_.revealed.find(lock);
        if (told != history_.revealed.end() && told->second > row.token)
            throw Violation(Rule::S3NoStaleWrite,
                            text_of(what, " after ", told->second, " was told"));
    }
}

void Oracle::revealed(const Answer& answer) {
    const auto token = testing::number_of(answer.fencing_token);
    if (token == 0 || answer.error) return;
    const auto* lease = timeline_.find(token);
    if (lease == nullptr) return;
    for (const auto& lock : lease->locks) {
        auto& told = history_.revealed[lock];
        told = std::max(told, token);
    }
}

void Oracle::unknown(BatchFacts batch, const Answers& answers) {
    for (const auto& [ticket, answer] : answers) {
        const auto asked = std::ranges::find(batch.requests, ticket, &storage::Request::ticket);
        const bool is_read = asked != batch.requests.end() &&
                             storage::access_of(asked->command.operation) != storage::Access::Write;
        const auto code = is_read ? ErrorCode::StoreFailed : ErrorCode::OutcomeUnknown;
        if (!answer.error || answer.error->code != code)
            throw Violation(Rule::S5Durable,
                            text_of("ticket ", ticket.value(), " was told ", describe(answer),
                                    " by a store whose commit has failed"));
    }
    looked(batch.now);  // as the store did before it ran the batch that failed
    alarms_.may_have_noted(batch.now);
    unknown_.insert(unknown_.begin(), {timeline_, std::move(batch)});
}

void Oracle::drained(const Answers& answers) {
    for (const auto& waiter : timeline_.waiters) {
        const auto found = answers.find(waiter.ticket);
        if (found == answers.end() || !found->second.error ||
            found->second.error->code != ErrorCode::Draining)
            throw Violation(Rule::Answer, describe(waiter.command) + " was not told of the drain");
    }
    if (answers.size() != timeline_.waiters.size())
        throw Violation(Rule::Answer, "the drain answered somebody who did not wait");
    timeline_.waiters.clear();
    timeline_.is_draining = true;
}

void Oracle::restarted(const Rows& rows, BootTime now) {
    const auto candidates = std::exchange(unknown_, {});
    if (!candidates.empty() && !is_same(timeline_, rows))
        static_cast<void>(std::ranges::any_of(candidates, [&](const Candidate& candidate) {
            return is_explained_by(candidate, rows);
        }));
    settle(rows);
    timeline_.restart(now);
    alarms_.check_note(Duration(rows.ran_ms));
    opened(now, Duration(rows.ran_ms));
}

// If nothing explains the rows, the difference to what was told is the one to report.
bool Oracle::is_explained_by(const Candidate& candidate, const Rows& rows) {
    auto after = candidate.before;
    Judge judge(after, history_, rows, terms_, candidate.batch, nullptr);
    try {
        judge.judge();
        forget_old(after, rows, candidate.batch.now);
        check_same(after, rows);
    } catch (const Violation&) {
        return false;
    }
    timeline_ = std::move(after);
    history_.highest_token = judge.highest_token();
    return true;
}

void Oracle::restored(Timeline backup, const Rows& rows, BootTime now) {
    unknown_.clear();
    timeline_ = std::move(backup);
    timeline_.restore();
    opened(now, Duration(rows.ran_ms));
    refused_.clear();
    last_transfer_ = rows.transfers.empty() ? 0 : rows.transfers.rbegin()->first;
    check_sound(rows);
    check_same(timeline_, rows);
}

void Oracle::check_deadline(std::optional<BootTime> armed) const {
    alarms_.check(armed, timeline_.next_deadline());
}

void Oracle::check_all_is_forgotten(const Rows& rows) const {
    if (rows.answers.empty() && rows.leases.empty() && rows.heads.empty()) return;
    throw Violation(Rule::Kept, text_of(rows.answers.size(), " answers and ", rows.leases.size(),
                                        " leases are kept for ever"));
}

void Oracle::check_refusals(const Rows& rows) const {
    for (const auto& [id, row] : rows.answers) {
        if (row.error.empty() && refused_.contains(row.request_id))
            throw Violation(Rule::S7RefusalIsFinal,
                            "request " + row.request_id + " was refused and has an effect");
    }
    for (const auto& [token, row] : rows.leases) {
        // The metadata names the request, if the client sends it once only.
        if (refused_.contains(requested_by(row.metadata)))
            throw Violation(Rule::S7RefusalIsFinal,
                            text_of("token ", token, " was granted to a refused request"));
    }
}

}  // namespace fencegate::simulation
