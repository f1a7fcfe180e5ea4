#include "tests/storage/commands/store_judge.hpp"

#include <algorithm>
#include <set>

namespace fencegate::testing {

using lockmgr::LockMode;
using lockmgr::LockName;

namespace {

LockName name(const char* text) { return *LockName::parse(text); }

}  // namespace

StoreJudge::StoreJudge(StoreHarness& store)
    : store_(store),
      rows_(*store.connection,
            "SELECT token, lock, principal, mode FROM leases WHERE state = 0 UNION ALL "
            "SELECT leases.token, lease_locks.lock, principal, mode FROM leases "
            "CROSS JOIN lease_locks ON lease_locks.token = leases.token WHERE state = 0 "
            "ORDER BY 1") {}

std::string StoreJudge::objection() {
    const auto rows = read();
    for (const auto& check : {&StoreJudge::holdings, &StoreJudge::holders, &StoreJudge::deadlines,
                              &StoreJudge::lines, &StoreJudge::usage}) {
        if (auto said = (this->*check)(rows); !said.empty()) return said;
    }
    return {};
}

StoreJudge::LiveRows StoreJudge::read() {
    LiveRows rows;
    auto row = rows_.query();
    while (row.next())
        rows[std::string(row.text(1))].push_back(
            {row.integer(0), std::string(row.text(2)), static_cast<LockMode>(row.integer(3))});
    return rows;
}

std::string StoreJudge::holdings(const LiveRows& rows) const {
    if (live().holdings().locks() != rows.size()) return "memory holds other locks than rows";
    for (const auto& [lock, leases] : rows) {
        std::vector<std::int64_t> tokens;
        for (const auto& lease : leases) tokens.push_back(lease.token);
        const auto* holding = live().holdings().find(name(lock.c_str()));
        if (holding == nullptr) return lock + " is held in the rows only";
        const bool is_same =
            std::ranges::equal(holding->tokens, tokens, {}, &lockmgr::FencingToken::value);
        if (!is_same) return lock + " has other holders in memory than in the rows";
    }
    return {};
}

std::string StoreJudge::holders(const LiveRows& rows) const {
    for (const auto& [lock, leases] : rows) {
        const auto has_mode = [&](LockMode mode) {
            return std::ranges::any_of(leases, [&](auto& one) { return one.mode == mode; });
        };
        if (has_mode(LockMode::Exclusive) && leases.size() > 1)
            return lock + " is held exclusively and by another";
        if (has_mode(LockMode::Shared) && has_mode(LockMode::Semaphore))
            return lock + " is two kinds of lock at once";
        if (has_mode(LockMode::Semaphore) && leases.size() > kPermits)
            return lock + " has more holders than permits";
    }
    return {};
}

std::string StoreJudge::deadlines(const LiveRows& rows) const {
    std::set<std::int64_t> tokens;
    for (const auto& [lock, leases] : rows) {
        for (const auto& lease : leases) tokens.insert(lease.token);
    }
    if (live().expiries().size() != tokens.size()) return "deadlines and leases differ";
    for (const auto token : tokens) {
        if (!live().expiries().deadline_of(lockmgr::FencingToken(token)))
            return "a live lease has no deadline";
    }
    return {};
}

// Nobody waits in vain.
std::string StoreJudge::lines(const LiveRows&) const {
    for (const auto id : live().waiters().all()) {
        const auto& waiter = *live().waiters().find(id);
        if (live().waiters().is_first(waiter) &&
            live().fit(waiter.locks, waiter.claim) == lockmgr::Fit::Fits)
            return "waiter " + std::to_string(id.value()) + " could be served and is not";
    }
    const auto next = store_.store->next_deadline();
    const bool somebody_waits = live().waiters().size() > 0;
    if (somebody_waits && !next) return "somebody waits and the store will not wake";
    return {};
}

std::string StoreJudge::usage(const LiveRows& rows) const {
    const std::vector<LockName> one{name("quota/x")};
    const std::vector<LockName> two{name("quota/x"), name("quota/y")};
    for (const std::string principal : kPrincipals) {
        std::size_t held = 0;
        for (const auto& [lock, leases] : rows) {
            if (!lock.starts_with("quota/")) continue;
            held += static_cast<std::size_t>(std::ranges::count(
                leases, principal, [](const LiveRow& lease) { return lease.principal; }));
        }
        std::size_t waits = 0;
        for (const auto id : live().waiters().all()) {
            const auto& waiter = *live().waiters().find(id);
            if (waiter.principal != principal) continue;
            waits += static_cast<std::size_t>(std::ranges::count_if(
                waiter.locks,
                [](const LockName& lock) { return lock.first_segment() == "quota"; }));
        }
        const auto& used = live().usage();
        const bool is_right = used.may_hold(principal, one) == (held + 1 <= kHeldMax) &&
                              used.may_hold(principal, two) == (held + 2 <= kHeldMax) &&
                              used.may_wait(principal, one) == (waits + 1 <= kWaitedMax) &&
                              used.may_wait(principal, two) == (waits + 2 <= kWaitedMax);
        if (!is_right) return "the quota of " + principal + " was miscounted";
    }
    return {};
}

}  // namespace fencegate::testing
