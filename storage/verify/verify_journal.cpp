// The journal from its first entry to its last: numbers, seals, times, movements, balances, marks,
// and the lease each movement was made under (in this order leases are read almost in theirs).
#include "lockmgr/guards.hpp"
#include "lockmgr/lease.hpp"
#include "storage/sqlite/journal_rows.hpp"
#include "storage/sqlite/ledger_rows.hpp"
#include "storage/verify/verify_checks.hpp"

#include <algorithm>
#include <tuple>

namespace fencegate::storage {
namespace {

using lockmgr::LeaseState;
using lockmgr::LockMode;

std::int64_t ms(WallTime time) { return time.time_since_epoch().count(); }

bool begins(const JournalEntry& entry) { return entry.id == entry.movement; }

// Money is put in without a fence, and a hold expires by itself.
bool is_fenced(const JournalEntry& entry) {
    const bool is_expiry = entry.kind == TransferKind::Release && entry.principal.empty();
    return entry.kind != TransferKind::Authorize && !is_expiry;
}

class JournalPass {
public:
    JournalPass(sqlite::Connection& connection, const StoreFacts& facts,
                const VerifyOptions& options, Checks& checks)
        : facts_(facts),
          options_(options),
          checks_(checks),
          next_mark_(connection,
                     "SELECT transfer_id, booked_at_ms FROM marks WHERE transfer_id > ? "
                     "ORDER BY transfer_id LIMIT 1"),
          mark_balances_(connection,
                         "SELECT currency, account, debits, credits FROM mark_balances "
                         "WHERE transfer_id = ?"),
          balances_(connection, "SELECT currency, account, debits, credits FROM balances"),
          lease_(connection,
                 "SELECT lock, principal, owner, mode, state, ended_at_ms "
                 "FROM leases WHERE token = ?"),
          further_lock_(connection, "SELECT 1 FROM lease_locks WHERE token = ? AND lock = ?"),
          turns_(turns_of_clock(connection)) {
        find_mark();
    }

    void take(const JournalEntry& entry) {
        check_place(entry);
        check_accounts(entry);
        check_movement(entry);
        if (begins(entry)) check_fence(entry);
        if (entry.token) {
            checks_.token_counter.expect(entry.token->value() <= facts_.counter, [&] {
                return nth("entry", entry.id) + " has " + nth("token", entry.token->value()) +
                       ", but the counter stands at " + std::to_string(facts_.counter);
            });
        }
        book(entry);
        if (entry.id == mark_) check_mark(entry);
        if (options_.expected_head && options_.expected_head->id == entry.id)
            is_expected_found_ = options_.expected_head->seal == entry.seal;
        before_ = entry;
    }

    void end(JournalHead& head) {
        head = {before_.id, before_.seal};
        if (turn_ != turns_.end())
            checks_.journal_times.fault(nth("turn", *turn_) + " is of no entry");
        if (mark_ != 0) checks_.marks.fault(nth("mark", mark_) + " is of no entry");
        compare(balances_.query(), checks_.balances, "balance");
        if (!options_.expected_head) return;
        checks_.expected_head.expect(
            is_expected_found_ || *options_.expected_head == JournalHead{},
            [&] { return nth("entry", options_.expected_head->id) + " does not have this seal"; });
    }

private:
    void check_place(const JournalEntry& entry) {
        checks_.journal_ids.expect(may_follow(entry.id, before_.id), [&] {
            return nth("entry", entry.id) + " follows " + nth("entry", before_.id);
        });
        checks_.journal_seals.expect(entry.seal == seal_of(entry, before_.seal),
                                     [&] { return nth("entry", entry.id) + " is not as sealed"; });
        const bool is_turn = entry.booked_at < before_.booked_at;
        const bool is_noted = turn_ != turns_.end() && *turn_ == entry.id;
        if (is_noted) ++turn_;
        checks_.journal_times.expect(is_turn == is_noted, [&] {
            const std::string how = is_turn ? " is booked before " : " is not booked before ";
            return nth("entry", entry.id) + how + nth("entry", before_.id);
        });
    }

    void check_accounts(const JournalEntry& entry) {
        const auto meant = accounts_of(entry.kind);
        checks_.journal_accounts.expect(
            entry.kind <= TransferKind::Refund && entry.debit == meant.debit &&
                entry.credit == meant.credit && entry.amount_minor > 0,
            [&] { return nth("entry", entry.id) + " is not booked as its kind is"; });
    }

    void check_movement(const JournalEntry& entry) {
        const auto author = [](const JournalEntry& of) {
            return std::tie(of.payment_id, of.currency, of.token, of.principal, of.owner, of.key,
                            of.reason, of.booked_at, of.movement);
        };
        const bool is_rest =
            before_.kind == TransferKind::Capture && entry.kind == TransferKind::Release;
        const bool is_capture_at_once = before_.kind == TransferKind::Authorize &&
                                        entry.kind == TransferKind::Capture && begins(before_);
        const bool continues = entry.movement == before_.movement && before_.id != 0 &&
                               entry.previous == before_.id && author(entry) == author(before_) &&
                               (is_rest || is_capture_at_once);
        checks_.movements.expect(begins(entry) || continues, [&] {
            return nth("entry", entry.id) + " does not belong to " +
                   nth("movement", entry.movement);
        });
    }

    void check_fence(const JournalEntry& entry) {
        auto& check = checks_.fence_leases;
        if (!entry.token) {
            if (is_fenced(entry))
                check.expect(false, [&] { return nth("entry", entry.id) + " has no token"; });
            return;
        }
        auto row = lease_.query(*entry.token);
        if (!row.next()) {
            if (entry.token->value() > facts_.forgotten)
                check.expect(false, [&] { return under(entry) + ", which no lease has"; });
            return;
        }
        check.look();
        if (static_cast<LockMode>(row.integer(3)) != LockMode::Exclusive)
            check.fault(under(entry) + ", which was not held alone");
        if (row.text(1) != entry.principal || (!entry.owner.empty() && row.text(2) != entry.owner))
            check.fault(under(entry) + ", which is another holder's");
        if (is_fenced(entry)) {
            const auto lock = lockmgr::payment_lock_name(entry.payment_id);
            if (!covers(*entry.token, row.text(0), lock))
                check.fault(under(entry) + ", which does not cover " + lock);
        }
        // A late write under an expired lease is what some classes allow, until it has a successor:
        // verify_late_writes.cpp.
        const auto state = static_cast<LeaseState>(row.integer(4));
        const bool is_over = state == LeaseState::Released || state == LeaseState::Broken;
        if (is_over && is_time_told(entry) &&
            ms(entry.booked_at) > row.integer(5) + kClockToleranceMs)
            check.fault(under(entry) + ", which had ended before it");
    }

    // While the clock is behind the newest entry, entries get that one's time.
    bool is_time_told(const JournalEntry& entry) const {
        return !facts_.is_clock_unsteady && entry.booked_at != before_.booked_at;
    }

    static std::string under(const JournalEntry& entry) {
        return nth("entry", entry.id) + " was written under " + nth("token", entry.token->value());
    }

    bool covers(lockmgr::FencingToken token, std::string_view first, std::string_view lock) {
        if (first == lock) return true;
        auto row = further_lock_.query(token, lock);
        return row.next();
    }

    void book(const JournalEntry& entry) {
        auto& accounts = sums_.try_emplace(entry.currency).first->second;
        const auto debit = std::to_underlying(entry.debit);
        const auto credit = std::to_underlying(entry.credit);
        if (debit >= accounts.size() || credit >= accounts.size()) return;  // told as accounts
        auto& debits = accounts[debit].debits_minor;
        auto& credits = accounts[credit].credits_minor;
        debits = wrapping_add(debits, entry.amount_minor);
        credits = wrapping_add(credits, entry.amount_minor);
    }

    void find_mark() {
        auto row = next_mark_.query(mark_);
        const bool has_one = row.next();
        mark_ = has_one ? row.integer(0) : 0;
        marked_at_ms_ = has_one ? row.integer(1) : 0;
    }

    void check_mark(const JournalEntry& entry) {
        if (marked_at_ms_ != ms(entry.booked_at))
            checks_.marks.fault(nth("mark", mark_) + " has another time than its entry");
        compare(mark_balances_.query(mark_), checks_.marks, nth("mark", mark_));
        find_mark();
    }

    static std::string in(std::string whose, const std::string& currency) {
        whose += " of ";
        whose += currency;
        return whose;
    }

    // Rows of (currency, account, debits, credits) against the sums. A row of zeros may be missing.
    void compare(sqlite::Statement::Row row, Check& check, const std::string& whose) {
        auto left = sums_;
        std::map<std::string, std::int64_t, std::less<>> open;  // debits less credits
        while (row.next()) {
            const std::string currency(row.text(0));
            const auto account = static_cast<std::size_t>(row.integer(1));
            open[currency] =
                wrapping_add(open[currency], wrapping_add(row.integer(2), -row.integer(3)));
            const auto found = left.find(currency);
            Balance sum;
            if (found != left.end() && account < kAccounts)
                sum = std::exchange(found->second[account], {});
            check.expect(sum.debits_minor == row.integer(2) && sum.credits_minor == row.integer(3),
                         [&] {
                             return in(whose, currency) + ", " +
                                    nth("account", static_cast<std::int64_t>(account)) +
                                    " is not the sum of its entries";
                         });
        }
        for (const auto& [currency, minor] : open) {
            if (minor != 0) check.fault(in(whose, currency) + ": debits are not credits");
        }
        for (const auto& [currency, accounts] : left) {
            const bool is_missing = std::ranges::any_of(accounts, [](const Balance& sum) {
                return sum.debits_minor != 0 || sum.credits_minor != 0;
            });
            if (is_missing) check.fault(in(whose, currency) + " is missing");
        }
    }

    const StoreFacts& facts_;
    const VerifyOptions& options_;
    Checks& checks_;
    sqlite::Statement next_mark_;
    sqlite::Statement mark_balances_;
    sqlite::Statement balances_;
    sqlite::Statement lease_;
    sqlite::Statement further_lock_;
    const std::vector<std::int64_t> turns_;
    std::vector<std::int64_t>::const_iterator turn_ = turns_.begin();
    JournalEntry before_;
    Balances sums_;
    std::int64_t mark_ = 0;
    std::int64_t marked_at_ms_ = 0;
    bool is_expected_found_ = false;
};

// Who reads on behind the head misses the entries up to there, which are payments.
void check_consumers(sqlite::Connection& connection, const JournalHead& head, Checks& checks) {
    sqlite::Statement consumers(connection,
                                "SELECT name, position FROM event_consumers ORDER BY name");
    auto row = consumers.query();
    while (row.next()) {
        checks.consumers.expect(row.integer(1) <= head.id, [&] {
            return "consumer " + std::string(row.text(0)) + " has " +
                   nth("position", row.integer(1)) + ", behind " + nth("entry", head.id);
        });
    }
}

}  // namespace

void check_journal(sqlite::Connection& connection, const StoreFacts& facts,
                   const VerifyOptions& options, Checks& checks, JournalHead& head) {
    JournalPass pass(connection, facts, options, checks);
    const auto select =
        std::string("SELECT ") + sqlite::kEntryColumns + " FROM transfers ORDER BY id";
    sqlite::Statement entries(connection, select.c_str());
    Progress progress(options, "journal", facts.transfers);
    auto row = entries.query();
    while (row.next()) {
        const auto entry = sqlite::entry_of(row);
        if (!entry.token && !row.is_null(sqlite::kEntryTokenColumn))
            checks.token_counter.fault(nth("entry", entry.id) + " has " +
                                       nth("token", row.integer(sqlite::kEntryTokenColumn)) +
                                       ", which no store ever issues");
        pass.take(entry);
        progress.step();
    }
    pass.end(head);
    check_consumers(connection, head, checks);
}

}  // namespace fencegate::storage
