// The leases of each lock, in order of tokens; and everything that was ever counted against the
// token counter.
#include "lockmgr/lease.hpp"
#include "storage/verify/verify_checks.hpp"

#include <algorithm>

namespace fencegate::storage {
namespace {

using lockmgr::LeaseState;
using lockmgr::LockMode;

struct LockLease {
    std::int64_t token = 0;
    LeaseState state{};
    LockMode mode{};
    std::int64_t permits = 0;
    std::int64_t previous = 0;
};

class LockPass {
public:
    LockPass(sqlite::Connection& connection, const StoreFacts& facts, Checks& checks)
        : facts_(facts),
          checks_(checks),
          heads_(connection, "SELECT name, last_token FROM locks ORDER BY name"),
          head_(heads_.query()),
          has_head_(head_.next()) {}

    void take(std::string_view lock, const LockLease& lease) {
        if (lock != lock_) begin(lock);
        check_link(lease);
        check_alone(lease);
        last_ = lease;
    }

    void begin(std::string_view lock) {
        end_lock();
        lock_ = lock;
        last_ = {};
        live_ = 0;
        live_alone_ = 0;
        standing_alone_ = 0;
    }

    void end() {
        end_lock();
        for (; has_head_; has_head_ = head_.next()) stray_head();
    }

private:
    // Where leases were forgotten, a link may lead there, or begin anew.
    void check_link(const LockLease& lease) {
        const bool may_lead_back = lease.previous < lease.token &&
                                   std::max(lease.previous, last_.token) <= facts_.forgotten;
        checks_.lease_chains.expect(lease.previous == last_.token || may_lead_back, [&] {
            return nth("lease", lease.token) + " of " + lock_ + " is linked to " +
                   nth("token", lease.previous) + " and not to " + nth("token", last_.token);
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
        if (last_.token == 0) return;
        for (; has_head_ && head_.text(0) < lock_; has_head_ = head_.next()) stray_head();
        const bool is_there = has_head_ && head_.text(0) == lock_;
        checks_.lease_chains.expect(
            is_there ? head_.integer(1) == last_.token : last_.token <= facts_.forgotten,
            [&] { return "the newest lease of " + lock_ + " is not the head of its chain"; });
        if (is_there) has_head_ = head_.next();
    }

    void stray_head() {
        checks_.lease_chains.fault("lock " + std::string(head_.text(0)) + " has no lease with " +
                                   nth("token", head_.integer(1)));
    }

    const StoreFacts& facts_;
    Checks& checks_;
    sqlite::Statement heads_;
    sqlite::Statement::Row head_;
    bool has_head_;
    std::string lock_;
    LockLease last_;
    std::int64_t live_ = 0;
    std::int64_t live_alone_ = 0;
    std::int64_t standing_alone_ = 0;
};

void check_locks(sqlite::Connection& connection, const StoreFacts& facts,
                 const VerifyOptions& options, Checks& checks) {
    Progress progress(options, "leases", 0);
    sqlite::Statement leases(
        connection,
        "SELECT lock, token, state, mode, permits, previous FROM leases UNION ALL "
        "SELECT lease_locks.lock, token, state, mode, permits, lease_locks.previous "
        "FROM lease_locks JOIN leases USING (token) ORDER BY 1, 2");
    LockPass pass(connection, facts, checks);
    auto row = leases.query();
    while (row.next()) {
        pass.take(row.text(0), {.token = row.integer(1),
                                .state = static_cast<LeaseState>(row.integer(2)),
                                .mode = static_cast<LockMode>(row.integer(3)),
                                .permits = row.integer(4),
                                .previous = row.integer(5)});
        progress.step();
    }
    if (!connection.failure()) pass.end();
}

// A lease over several locks has a row for each.
void check_further_locks(sqlite::Connection& connection, Checks& checks) {
    sqlite::Statement wrong(
        connection,
        "SELECT token FROM leases WHERE lock_count <> 1 + (SELECT count(*) FROM "
        "lease_locks WHERE lease_locks.token = leases.token) UNION ALL "
        "SELECT token FROM lease_locks WHERE token NOT IN (SELECT token FROM leases)");
    auto row = wrong.query();
    while (row.next())
        checks.lease_chains.fault(nth("lease", row.integer(0)) +
                                  " does not have as many locks as it should");
}

void check_counter(sqlite::Connection& connection, const StoreFacts& facts, Checks& checks) {
    // How many, the newest, and the least; where 0 says that there is none, the least plus 1.
    constexpr std::pair<const char*, const char*> kTokens[] = {
        {"leases", "SELECT count(*), max(token), min(token) FROM leases"},
        {"locks", "SELECT count(*), max(last_token), min(last_token) FROM locks"},
        {"answers", "SELECT count(token), max(token), min(token) FROM answers"},
        {"hours", "SELECT count(*), max(last_token), min(last_token) + 1 FROM hours"},
        {"refusals",
         "SELECT count(*), max(max(token, current_token)), min(min(token, current_token + 1)) "
         "FROM refusals"},
        {"elections", "SELECT count(*), max(token), min(token) FROM elections"},
        {"runs", "SELECT count(*), max(token), min(token) + 1 FROM runs"},
    };
    for (const auto& [table, sql] : kTokens) {
        sqlite::Statement newest(connection, sql);
        auto row = newest.query();
        if (!row.next()) continue;
        checks.token_counter.look(row.integer(0));
        if (row.integer(1) > facts.counter)
            checks.token_counter.fault(
                std::string(table) + " have " + nth("token", row.integer(1)) +
                ", but the counter stands at " + std::to_string(facts.counter));
        if (!row.is_null(2) && row.integer(2) < 1)
            checks.token_counter.fault(std::string(table) + " have a token below 1");
    }
}

}  // namespace

void check_leases(sqlite::Connection& connection, const StoreFacts& facts,
                  const VerifyOptions& options, Checks& checks) {
    check_locks(connection, facts, options, checks);
    check_further_locks(connection, checks);
    check_counter(connection, facts, checks);
}

}  // namespace fencegate::storage
