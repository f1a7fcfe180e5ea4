#include "storage/commands/lock_queries.hpp"

#include "storage/commands/grants.hpp"
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

HistoryView history_of(Unit& unit, Lease lease) {
    const auto token = lease.token;
    const auto& rows = unit.flushed();
    return {.view = view_of(unit, std::move(lease)),
            .break_reason = rows.leases.break_reason(token),
            .refused_writes = rows.refusals.count(token),
            .refusals = rows.refusals.of(token, kRefusalsShown)};
}

std::vector<lockmgr::WaitCycle> deadlocks(Unit& unit) {
    const auto holder_of = [&unit](FencingToken token) {
        const auto* lease = unit.leases.find(token);
        return lease != nullptr ? Party{lease->principal, lease->owner} : Party{};
    };
    return lockmgr::find_deadlocks(unit.live, holder_of, kDeadlocksMax);
}

}  // namespace

Answer carry_out(Unit& unit, const Command&, const ReadLease& read) {
    const auto* lease = find_by_id(unit, read.lease_id);
    if (lease == nullptr)
        return refusal({ErrorCode::LeaseNotFound, "No lease has this id.", {}, -1});
    return document(lease_document(view_of(unit, as_told(unit, *lease))));
}

Answer carry_out(Unit& unit, const Command&, const ReadLock& read) {
    return document(lock_document(view_of(unit, read.lock, kShownMax), unit.now));
}

Answer carry_out(Unit& unit, const Command&, const ListLocks& list) {
    const auto names = unit.flushed().leases.names(list.prefix, list.after, kNamesLookedAt + 1);
    std::vector<LockView> found;
    std::size_t looked_at = 0;
    for (const auto& name : names) {
        if (looked_at == kNamesLookedAt || found.size() == static_cast<std::size_t>(list.limit))
            break;
        ++looked_at;
        const bool is_held = unit.live.holdings().find(name) != nullptr;
        if (passes(list.filter, is_held)) found.push_back(view_of(unit, name, /*shown_max=*/1));
    }
    const bool has_more = looked_at < names.size();
    Answer answer;
    if (has_more) answer.next_cursor = names[looked_at - 1].value();
    answer.body = lock_list_document(found, answer.next_cursor);
    return answer;
}

Answer carry_out(Unit& unit, const Command&, const ReadHistory& history) {
    auto& rows = unit.flushed().leases;
    auto token =
        history.before ? rows.before(*history.before, history.lock) : rows.head(history.lock).token;
    std::vector<HistoryView> leases;
    bool has_more = false;
    while (token) {
        auto lease = rows.find(*token);
        if (!lease) break;  // no longer kept
        if (leases.size() == static_cast<std::size_t>(history.limit)) {
            has_more = true;
            break;
        }
        leases.push_back(history_of(unit, *std::move(lease)));
        token = rows.before(*token, history.lock);
    }
    auto answer = document(history_document(history.lock, leases, has_more));
    if (has_more) answer.next_cursor = std::to_string(leases.back().view.lease.token.value());
    return answer;
}

Answer carry_out(Unit& unit, const Command&, const VerifyFence& verify) {
    std::optional<LeaseView> view;
    bool is_good = false;
    if (const auto* row = unit.leases.find(verify.token)) {
        const auto lease = as_told(unit, *row);
        // As the fence of a write would judge it, asked by the holder.
        const auto verdict = lockmgr::check_fence(&lease, &verify.lock, lease.principal, false);
        is_good = lockmgr::is_accepted(verdict);
        view = view_of(unit, lease);
    }
    std::optional<FencingToken> current_token;
    if (const auto* holding = unit.live.holdings().find(verify.lock))
        current_token = holding->tokens.back();
    return document(verify_document(verify.lock, verify.token, view ? &*view : nullptr, is_good,
                                    current_token));
}

Answer carry_out(Unit& unit, const Command&, const FindDeadlocks&) {
    return document(deadlocks_document(deadlocks(unit)));
}

Answer carry_out(Unit& unit, const Command&, const ReadLongestHeld& read) {
    std::vector<LeaseView> held;
    for (auto& lease : unit.flushed().leases.oldest_live(read.limit))
        held.push_back(view_of(unit, std::move(lease)));
    return document(longest_held_document(held, unit.now));
}

Answer carry_out(Unit& unit, const Command&, const ReadAdvice& read) {
    const auto index = unit.classes.find(read.lock_class);
    if (!index)
        return refusal({ErrorCode::LockClassNotFound,
                        "No lock class has this name. Classes are configured; every lock that "
                        "belongs to none is of the class \"other\".",
                        {},
                        -1});
    const auto& klass = unit.classes[*index];
    return document(advice_document(klass, unit.statistics.figures(*index, klass, unit.now),
                                    LeaseStatistics::kSlots * LeaseStatistics::kSlotLength));
}

std::size_t count_deadlocks(Unit& unit) { return deadlocks(unit).size(); }

}  // namespace fencegate::storage
