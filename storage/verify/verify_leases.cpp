// The leases of each lock, in order of tokens; and everything that was ever counted against the
// token counter.
#include "lockmgr/lease.hpp"
#include "storage/verify/verify_checks.hpp"

#include <algorithm>

namespace fencegate::storage {
namespace {

using lockmgr::LeaseState;
using lockmgr::LockMode;

class LockPass {
public:
    LockPass(RowsToVerify& rows, const StoreFacts& facts, Checks& checks)
        : facts_(facts), checks_(checks), heads_(rows.lock_heads()) {
        heads_.next();
    }

    void take(const LockLease& lease) {
        if (lease.lock != lock_) begin(lease.lock);
        check_link(lease);
        check_alone(lease);
        last_token_ = lease.token;
    }

    void end() {
        end_lock();
        for (; heads_.at() != nullptr; heads_.next()) stray_head();
    }

private:
    void begin(const std::string& lock) {
        end_lock();
        lock_ = lock;
        last_token_ = 0;
        live_ = 0;
        live_alone_ = 0;
        standing_alone_ = 0;
    }

    // Where leases were forgotten, a link may lead there, or begin anew.
    void check_link(const LockLease& lease) {
        const bool may_lead_back = lease.previous < lease.token &&
                                   std::max(lease.previous, last_token_) <= facts_.forgotten;
        checks_.lease_chains.expect(lease.previous == last_token_ || may_lead_back, [&] {
            return nth("lease", lease.token) + " of " + lock_ + " is linked to " +
                   nth("token", lease.previous) + " and not to " + nth("token", last_token_);
        });
    }

    // An exclusive lease that is live or could still write late has no successor.
    void check_alone(const LockLease& lease) {
        auto& check = checks_.one_holder;
        check.look();
        if (standing_alone_ != 0)
            check.fault(nth("lease", standing_alone_) + " of " + lock_ + " still stands although " +
                        nth("lease", lease.token) + " came after it");
        const bool is_live = lease.state == LeaseState::Live;
        const bool is_alone = lease.mode == LockMode::Exclusive;
        standing_alone_ =
            is_alone && (is_live || lease.state == LeaseState::Expired) ? lease.token : 0;
        if (!is_live) return;
        live_ += 1;
        live_alone_ += is_alone ? 1 : 0;
        const bool is_too_many = lease.mode == LockMode::Semaphore && live_ > lease.permits;
        if ((live_alone_ > 0 && live_ > 1) || is_too_many)
            check.fault(nth("lease", lease.token) + " of " + lock_ + " is live beside another");
    }

    void end_lock() {
        if (last_token_ == 0) return;
        for (; heads_.at() != nullptr && heads_.at()->lock < lock_; heads_.next()) stray_head();
        const bool is_there = heads_.at() != nullptr && heads_.at()->lock == lock_;
        checks_.lease_chains.expect(
            is_there ? heads_.at()->last_token == last_token_ : last_token_ <= facts_.forgotten,
            [&] { return "the newest lease of " + lock_ + " is not the head of its chain"; });
        if (is_there) heads_.next();
    }

    void stray_head() {
        checks_.lease_chains.fault("lock " + heads_.at()->lock + " has no lease with " +
                                   nth("token", heads_.at()->last_token));
    }

    const StoreFacts& facts_;
    Checks& checks_;
    Pass<LockHead> heads_;
    std::string lock_;
    std::int64_t last_token_ = 0;
    std::int64_t live_ = 0;
    std::int64_t live_alone_ = 0;
    std::int64_t standing_alone_ = 0;
};

void check_locks(RowsToVerify& rows, const StoreFacts& facts, const VerifyOptions& options,
                 Checks& checks) {
    Progress progress(options, "leases", 0);
    LockPass pass(rows, facts, checks);
    auto leases = rows.leases_by_lock(std::nullopt);
    while (const auto* lease = leases.next()) {
        pass.take(*lease);
        progress.step();
    }
    if (!rows.has_failed()) pass.end();
}

// A lease over several locks has a row for each. Rows of no lease are told last.
void check_further_locks(RowsToVerify& rows, Checks& checks) {
    const auto fault = [](Check& check, std::int64_t token) {
        check.fault(nth("lease", token) + " does not have as many locks as it should");
    };
    auto strays = checks.lease_chains.part();
    auto further = rows.further_locks();
    const auto* lock = further.next();
    auto leases = rows.leases();
    while (const auto* lease = leases.next()) {
        for (; lock != nullptr && lock->token < lease->token; lock = further.next())
            fault(strays, lock->token);
        std::int64_t locks = 1;
        for (; lock != nullptr && lock->token == lease->token; lock = further.next()) ++locks;
        if (lease->lock_count != locks) fault(checks.lease_chains, lease->token);
    }
    if (rows.has_failed()) return;
    for (; lock != nullptr; lock = further.next()) fault(strays, lock->token);
    checks.lease_chains.add(strays);
}

struct CountedTable {
    TokenTable table;
    std::string_view name;
    std::int64_t least = 1;  // 0: it says that there is none
};
constexpr CountedTable kCounted[] = {
    {TokenTable::Leases, "leases"},     {TokenTable::Locks, "locks"},
    {TokenTable::Answers, "answers"},   {TokenTable::Hours, "hours", 0},
    {TokenTable::Refusals, "refusals"}, {TokenTable::Elections, "elections"},
    {TokenTable::Runs, "runs", 0},
};

void check_table(RowsToVerify& rows, const CountedTable& counted, std::int64_t counter,
                 Check& check) {
    std::int64_t count = 0;
    std::int64_t newest = counter;
    bool is_too_low = false;
    auto tokens = rows.tokens(counted.table);
    while (const auto* row = tokens.next()) {
        count += row->token ? 1 : 0;
        newest = std::max({newest, row->token.value_or(newest), row->holder.value_or(newest)});
        is_too_low |= row->token.value_or(counted.least) < counted.least;
        is_too_low |= row->holder.value_or(0) < 0;
    }
    if (rows.has_failed()) return;
    check.look(count);
    if (newest > counter)
        check.fault(std::string(counted.name) + " have " + nth("token", newest) +
                    ", but the counter stands at " + std::to_string(counter));
    if (is_too_low) check.fault(std::string(counted.name) + " have a token below 1");
}

}  // namespace

void check_leases(RowsToVerify& rows, const StoreFacts& facts, const VerifyOptions& options,
                  Checks& checks) {
    check_locks(rows, facts, options, checks);
    check_further_locks(rows, checks);
    for (const auto& counted : kCounted)
        check_table(rows, counted, facts.counter, checks.token_counter);
}

}  // namespace fencegate::storage
