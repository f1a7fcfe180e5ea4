#include "storage/commands/lock_queries.hpp"

#include "storage/commands/lock_commands.hpp"
#include "storage/documents/advice_document.hpp"
#include "storage/unit/views.hpp"

namespace fencegate::storage {

using lockmgr::FencingToken;
using lockmgr::Lease;
using lockmgr::LockName;
using lockmgr::Party;
using lockmgr::PresentedToken;

namespace {

// Names that one list request looks at, so that a rare state does not hold up the commands behind.
constexpr int kNamesLookedAt = 1'000;
constexpr std::int64_t kRefusalsShown = 20;
constexpr std::size_t kDeadlocksMax = 100;

bool passes(ListLocks::Filter filter, bool is_held) {
    switch (filter) {
        case ListLocks::Filter::All: return true;
        case ListLocks::Filter::Held: return is_held;
        case ListLocks::Filter::Free: return !is_held;
    }
    return true;
}

Answer document(std::string body) {
    Answer answer;
    answer.body = std::move(body);
    return answer;
}

}  // namespace

Answer LockQueries::read(const Batch& batch, const ReadLease& read) {
    auto lease = find_by_id(tables_, read.lease_id);
    if (!lease) return refusal({ErrorCode::LeaseNotFound, "No lease has this id.", {}, -1});
    return document(
        lease_document(view_of(tables_, as_told(tables_, batch, *std::move(lease)), batch.now)));
}

Answer LockQueries::read(const Batch& batch, const ReadLock& read) {
    return document(lock_document(view_of(tables_, read.lock, batch.now, kShownMax), batch.now));
}

Answer LockQueries::read(const Batch& batch, const ListLocks& list) {
    const auto names = tables_.leases.names(list.prefix, list.after, kNamesLookedAt + 1);
    std::vector<LockView> found;
    std::size_t looked_at = 0;
    for (const auto& name : names) {
        if (looked_at == kNamesLookedAt || found.size() == static_cast<std::size_t>(list.limit))
            break;
        ++looked_at;
        const bool is_held = tables_.live.holdings().find(name) != nullptr;
        if (passes(list.filter, is_held))
            found.push_back(view_of(tables_, name, batch.now, /*shown_max=*/1));
    }
    const bool has_more = looked_at < names.size();
    Answer answer;
    if (has_more) answer.next_cursor = names[looked_at - 1].value();
    answer.body = lock_list_document(found, answer.next_cursor);
    return answer;
}

Answer LockQueries::read(const Batch& batch, const ReadHistory& history) {
    auto token = tables_.leases.head(history.lock).token;
    if (history.before) token = tables_.leases.before(*history.before, history.lock);
    std::vector<HistoryView> leases;
    bool has_more = false;
    while (token) {
        auto lease = tables_.leases.find(*token);
        if (!lease) break;  // no longer kept
        if (leases.size() == static_cast<std::size_t>(history.limit)) {
            has_more = true;
            break;
        }
        leases.push_back(history_of(batch, *std::move(lease)));
        token = tables_.leases.before(*token, history.lock);
    }
    auto answer = document(history_document(history.lock, leases, has_more));
    if (has_more) answer.next_cursor = std::to_string(leases.back().view.lease.token.value());
    return answer;
}

HistoryView LockQueries::history_of(const Batch& batch, Lease lease) {
    const auto token = lease.token;
    return {.view = view_of(tables_, std::move(lease), batch.now),
            .break_reason = tables_.leases.break_reason(token),
            .refused_writes = tables_.refusals.count(token),
            .refusals = tables_.refusals.of(token, kRefusalsShown)};
}

Answer LockQueries::read(const Batch& batch, const VerifyFence& verify) {
    std::optional<LeaseView> view;
    bool is_good = false;
    if (auto lease = tables_.leases.find(verify.token)) {
        lease = as_told(tables_, batch, *std::move(lease));
        // As the fence of a write would judge it, asked by the holder.
        const auto verdict = lockmgr::check_fence(lease, &verify.lock, lease->principal, false);
        is_good = lockmgr::is_accepted(verdict);
        view = view_of(tables_, *std::move(lease), batch.now);
    }
    std::optional<FencingToken> current_token;
    if (const auto* holding = tables_.live.holdings().find(verify.lock))
        current_token = holding->tokens.back();
    return document(verify_document(verify.lock, verify.token, view ? &*view : nullptr, is_good,
                                    current_token));
}

Answer LockQueries::read(const FindDeadlocks&) { return document(deadlocks_document(deadlocks())); }

Answer LockQueries::read(const Batch& batch, const ReadLongestHeld& read) {
    std::vector<LeaseView> held;
    for (auto& lease : tables_.leases.oldest_live(read.limit))
        held.push_back(view_of(tables_, std::move(lease), batch.now));
    return document(longest_held_document(held, batch.now));
}

Answer LockQueries::read(const Batch& batch, const ReadAdvice& read) {
    const auto index = classes_.find(read.lock_class);
    if (!index)
        return refusal({ErrorCode::LockClassNotFound,
                        "No lock class has this name. Classes are configured; every lock that "
                        "belongs to none is of the class \"other\".",
                        {},
                        -1});
    const auto& klass = classes_[*index];
    return document(advice_document(klass, tables_.statistics.figures(*index, klass, batch.now),
                                    LeaseStatistics::kSlots * LeaseStatistics::kSlotLength));
}

std::size_t LockQueries::count_deadlocks() { return deadlocks().size(); }

std::vector<lockmgr::WaitCycle> LockQueries::deadlocks() {
    const auto holder_of = [this](FencingToken token) {
        const auto lease = tables_.leases.find(token);
        return lease ? Party{lease->principal, lease->owner} : Party{};
    };
    return lockmgr::find_deadlocks(tables_.live, holder_of, kDeadlocksMax);
}

}  // namespace fencegate::storage
