// Writes beside the leases of their payment's lock, both in the order of names and then of tokens:
// none was made once a newer lease was granted. The fence says so, whatever it lets pass of writes
// under a lease that only expired.
#include "lockmgr/guards.hpp"
#include "storage/money/payment.hpp"
#include "storage/verify/verify_checks.hpp"

#include <algorithm>
#include <limits>

namespace fencegate::storage {
namespace {

// How far times, in an order in which they should rise, fall back behind the highest before.
std::int64_t fall_ms(sqlite::Connection& connection, const char* sql) {
    sqlite::Statement times(connection, sql);
    auto row = times.query();
    std::int64_t newest = INT64_MIN;
    std::int64_t fall = 0;
    while (row.next()) {
        newest = std::max(newest, row.integer(0));
        fall = std::max(fall, newest - row.integer(0));
    }
    return fall;
}

struct Write {
    std::string lock;
    std::int64_t id = 0;
    std::int64_t token = 0;
    std::int64_t booked_at_ms = 0;
};

class SuccessorPass {
public:
    SuccessorPass(sqlite::Connection& connection, Checks& checks)
        : checks_(checks),
          leases_(connection,
                  "SELECT lock, token, granted_at_ms FROM leases "
                  "WHERE lock >= ?1 AND lock < ?2 UNION ALL "
                  "SELECT lease_locks.lock, token, granted_at_ms "
                  "FROM lease_locks JOIN leases USING (token) "
                  "WHERE lease_locks.lock >= ?1 AND lease_locks.lock < ?2 "
                  "ORDER BY 1, 2"),
          lease_(leases_.query(lockmgr::kPaymentLocks.first, lockmgr::kPaymentLocks.end)),
          has_lease_(lease_.next()) {}

    // Tokens that fall back within a payment are told as fence_order, and their writes passed over.
    void take(const Write& write) {
        while (has_lease_ && !is_behind(write)) has_lease_ = lease_.next();
        if (!has_lease_ || lease_.text(0) != write.lock || write.token < newest_of(write)) return;
        checks_.fence_leases.expect(
            write.booked_at_ms <= lease_.integer(2) + kClockToleranceMs, [&] {
                return nth("entry", write.id) + " was written under " + nth("token", write.token) +
                       ", which " + nth("token", lease_.integer(1)) + " had superseded before it";
            });
    }

private:
    // Whether the lease is the successor of the one that was written under, or of a later lock.
    [[nodiscard]] bool is_behind(const Write& write) const {
        const auto lock = lease_.text(0);
        return lock > write.lock || (lock == write.lock && lease_.integer(1) > write.token);
    }

    // The newest token that this lock was written under.
    std::int64_t newest_of(const Write& write) {
        if (lock_ != write.lock) newest_ = std::numeric_limits<std::int64_t>::min();
        lock_ = write.lock;
        newest_ = std::max(newest_, write.token);
        return newest_;
    }

    Checks& checks_;
    sqlite::Statement leases_;
    sqlite::Statement::Row lease_;
    bool has_lease_;
    std::string lock_;
    std::int64_t newest_ = 0;
};

}  // namespace

bool is_clock_unsteady(sqlite::Connection& connection) {
    constexpr const char* kRising[] = {
        "SELECT granted_at_ms FROM leases ORDER BY token",
        "SELECT created_at_ms FROM answers ORDER BY id",
        "SELECT 0 UNION ALL SELECT min(ended_at_ms - granted_at_ms) FROM leases",
        "SELECT 0 UNION ALL SELECT min(entry.created_at_ms - (SELECT before.created_at_ms "
        "FROM transfers AS before WHERE before.id < entry.id ORDER BY before.id DESC LIMIT 1)) "
        "FROM clock_turns JOIN transfers AS entry ON entry.id = transfer_id",
    };
    return std::ranges::any_of(
        kRising, [&](const char* sql) { return fall_ms(connection, sql) > kClockToleranceMs; });
}

std::vector<std::int64_t> turns_of_clock(sqlite::Connection& connection) {
    std::vector<std::int64_t> turns;
    sqlite::Statement noted(connection, "SELECT transfer_id FROM clock_turns ORDER BY transfer_id");
    auto row = noted.query();
    while (row.next()) turns.push_back(row.integer(0));
    return turns;
}

void check_late_writes(sqlite::Connection& connection, const StoreFacts& facts,
                       const VerifyOptions& options, Checks& checks) {
    if (facts.is_clock_unsteady) return;
    Progress progress(options, "late writes", facts.transfers);
    // While the clock is behind the newest entry, entries get that one's time, which tells nothing.
    sqlite::Statement writes(
        connection,
        "SELECT payment_id, id, token, created_at_ms FROM transfers "
        "WHERE id = movement AND kind <> 0 AND token IS NOT NULL "
        "AND created_at_ms IS NOT (SELECT before.created_at_ms FROM transfers AS "
        "before WHERE before.id = transfers.id - 1) ORDER BY payment_id, id");
    SuccessorPass pass(connection, checks);
    auto row = writes.query();
    while (row.next()) {
        pass.take({.lock = lockmgr::payment_lock_name(row.text(0)),
                   .id = row.integer(1),
                   .token = row.integer(2),
                   .booked_at_ms = row.integer(3)});
        progress.step();
    }
}

}  // namespace fencegate::storage
