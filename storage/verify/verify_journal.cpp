// The journal from its first entry to its last: numbers, seals, times, movements, balances, marks,
// and the lease each movement was made under (in this order leases are read almost in theirs).
#include "lockmgr/guards.hpp"
#include "lockmgr/lease.hpp"
#include "storage/verify/verify_checks.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

namespace fencegate::storage {
namespace {

using lockmgr::LeaseState;
using lockmgr::LockMode;

using Sums = std::map<std::string, std::array<AccountSums, kAccounts>, std::less<>>;  // by currency

bool begins(const JournalEntry& entry) { return entry.id == entry.movement; }

// Money is put in without a fence, and a hold expires by itself.
bool is_fenced(const JournalEntry& entry) {
    const bool is_expiry = entry.kind == TransferKind::Release && entry.principal.empty();
    return entry.kind != TransferKind::Authorize && !is_expiry;
}

class JournalPass {
public:
    JournalPass(RowsToVerify& rows, const StoreFacts& facts, const VerifyOptions& options,
                Checks& checks)
        : rows_(rows),
          facts_(facts),
          options_(options),
          checks_(checks),
          marks_(rows.marks()),
          mark_balances_(rows.mark_balances()),
          turns_(rows.turns()) {
        turns_.next();
        marks_.next();
    }

    void take(const StoredEntry& stored) {
        const auto& entry = stored.entry;
        check_place(entry);
        check_accounts(entry);
        check_movement(entry);
        if (begins(entry)) check_fence(entry, stored.lease);
        check_token(stored);
        book(entry);
        if (marks_.at() != nullptr && entry.id == marks_.at()->entry) check_mark(entry);
        if (options_.expected_head && options_.expected_head->id == entry.id)
            is_expected_found_ = options_.expected_head->seal == entry.seal;
        before_ = entry;
    }

    void end(JournalHead& head) {
        head = {before_.id, before_.seal};
        if (const auto* turn = turns_.at())
            checks_.journal_times.fault(nth("turn", turn->entry) + " is of no entry");
        if (const auto* mark = marks_.at())
            checks_.marks.fault(nth("mark", mark->entry) + " is of no entry");
        auto balances = rows_.balances();
        balances.next();
        compare(balances, 0, checks_.balances, "balance");
        if (!options_.expected_head) return;
        checks_.expected_head.expect(
            is_expected_found_ || *options_.expected_head == JournalHead{},
            [&] { return nth("entry", options_.expected_head->id) + " does not have this seal"; });
    }

private:
    void check_place(const JournalEntry& entry) {
        checks_.journal_ids.expect(rows_.may_follow(entry.id, before_.id), [&] {
            return nth("entry", entry.id) + " follows " + nth("entry", before_.id);
        });
        checks_.journal_seals.expect(entry.seal == seal_of(entry, before_.seal),
                                     [&] { return nth("entry", entry.id) + " is not as sealed"; });
        const bool is_turn = entry.booked_at < before_.booked_at;
        const bool is_noted = turns_.at() != nullptr && turns_.at()->entry == entry.id;
        if (is_noted) turns_.next();
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

    void check_token(const StoredEntry& stored) {
        auto& check = checks_.token_counter;
        if (!stored.entry.token) {
            if (stored.token)
                check.fault(nth("entry", stored.entry.id) + " has " + nth("token", *stored.token) +
                            ", which no store ever issues");
            return;
        }
        check.expect(*stored.token <= facts_.counter, [&] {
            return nth("entry", stored.entry.id) + " has " + nth("token", *stored.token) +
                   ", but the counter stands at " + std::to_string(facts_.counter);
        });
    }

    void check_fence(const JournalEntry& entry, const std::optional<GuardingLease>& lease) {
        auto& check = checks_.fence_leases;
        if (!entry.token) {
            if (is_fenced(entry))
                check.expect(false, [&] { return nth("entry", entry.id) + " has no token"; });
            return;
        }
        if (!lease) {
            if (entry.token->value() > facts_.forgotten)
                check.expect(false, [&] { return under(entry) + ", which no lease has"; });
            return;
        }
        check.look();
        if (lease->mode != LockMode::Exclusive)
            check.fault(under(entry) + ", which was not held alone");
        if (lease->principal != entry.principal ||
            (!entry.owner.empty() && lease->owner != entry.owner))
            check.fault(under(entry) + ", which is another holder's");
        if (is_fenced(entry)) {
            const auto lock = lockmgr::payment_lock_name(entry.payment_id);
            if (lease->lock != lock && !rows_.has_further_lock(*entry.token, lock))
                check.fault(under(entry) + ", which does not cover " + lock);
        }
        // A late write under an expired lease is what some classes allow, until it has a successor:
        // verify_late_writes.cpp.
        const bool is_over =
            lease->state == LeaseState::Released || lease->state == LeaseState::Broken;
        if (is_over && is_time_told(entry) && entry.booked_at > lease->ended_at + kClockTolerance)
            check.fault(under(entry) + ", which had ended before it");
    }

    // While the clock is behind the newest entry, entries get that one's time.
    bool is_time_told(const JournalEntry& entry) const {
        return !facts_.is_clock_unsteady && entry.booked_at != before_.booked_at;
    }

    static std::string under(const JournalEntry& entry) {
        return nth("entry", entry.id) + " was written under " + nth("token", entry.token->value());
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

    void check_mark(const JournalEntry& entry) {
        const auto& mark = *marks_.at();
        if (mark.booked_at != entry.booked_at)
            checks_.marks.fault(nth("mark", mark.entry) + " has another time than its entry");
        // Begins with the first mark: were they damaged, the entries before could still be read.
        const auto* balance = mark_balances_.at();
        if (balance == nullptr) balance = mark_balances_.next();
        while (balance != nullptr && balance->mark < mark.entry) balance = mark_balances_.next();
        compare(mark_balances_, mark.entry, checks_.marks, nth("mark", mark.entry));
        marks_.next();
    }

    static std::string in(std::string whose, const std::string& currency) {
        whose += " of ";
        whose += currency;
        return whose;
    }

    // The balances up to that mark, of which the pass is at the first, against the sums. A row of
    // zeros may be missing.
    void compare(Pass<StoredBalance>& balances, std::int64_t mark, Check& check,
                 const std::string& whose) {
        auto left = sums_;
        std::map<std::string, std::int64_t, std::less<>> open;  // debits less credits
        for (const auto* row = balances.at(); row != nullptr && row->mark == mark;
             row = balances.next()) {
            const auto& [debits, credits] = row->sums;
            open[row->currency] = wrapping_add(open[row->currency], wrapping_add(debits, -credits));
            const auto account = static_cast<std::size_t>(row->account);
            const auto found = left.find(row->currency);
            AccountSums sums;
            if (found != left.end() && account < kAccounts)
                sums = std::exchange(found->second[account], {});
            check.expect(sums == row->sums, [&] {
                return in(whose, row->currency) + ", " + nth("account", row->account) +
                       " is not the sum of its entries";
            });
        }
        for (const auto& [currency, minor] : open) {
            if (minor != 0) check.fault(in(whose, currency) + ": debits are not credits");
        }
        for (const auto& [currency, accounts] : left) {
            const bool is_missing = std::ranges::any_of(
                accounts, [](const AccountSums& sums) { return sums != AccountSums{}; });
            if (is_missing) check.fault(in(whose, currency) + " is missing");
        }
    }

    RowsToVerify& rows_;
    const StoreFacts& facts_;
    const VerifyOptions& options_;
    Checks& checks_;
    Pass<StoredMark> marks_;
    Pass<StoredBalance> mark_balances_;
    Pass<StoredTurn> turns_;
    JournalEntry before_;
    Sums sums_;
    bool is_expected_found_ = false;
};

// Who reads on behind the head misses the entries up to there, which are payments.
void check_consumers(RowsToVerify& rows, const JournalHead& head, Checks& checks) {
    auto consumers = rows.consumers();
    while (const auto* consumer = consumers.next()) {
        checks.consumers.expect(consumer->position <= head.id, [&] {
            return "consumer " + consumer->name + " has " + nth("position", consumer->position) +
                   ", behind " + nth("entry", head.id);
        });
    }
}

}  // namespace

void check_journal(RowsToVerify& rows, const StoreFacts& facts, const VerifyOptions& options,
                   Checks& checks, JournalHead& head) {
    JournalPass pass(rows, facts, options, checks);
    Progress progress(options, "journal", facts.entries);
    auto entries = rows.journal();
    while (const auto* entry = entries.next()) {
        pass.take(*entry);
        progress.step();
    }
    pass.end(head);
    check_consumers(rows, head, checks);
}

}  // namespace fencegate::storage
