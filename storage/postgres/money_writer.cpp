#include "storage/postgres/changes_writer.hpp"

#include <utility>

namespace fencegate::storage::postgres {
namespace {

std::int64_t ms(WallTime time) { return time.time_since_epoch().count(); }

}  // namespace

MoneyWriter::MoneyWriter(Connection& connection)
    : connection_(connection),
      insert_payments_(
          "INSERT INTO payments (id, currency, state, authorized, captured, refunded, reference, "
          "metadata, created_at_ms, authorized_hour, last_transfer) "
          "SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"),
      update_payments_(
          "UPDATE payments SET state = made.state, captured = made.captured, "
          "refunded = made.refunded, last_transfer = made.last_transfer "
          "FROM unnest($1, $2, $3, $4, $5) AS made(id, state, captured, refunded, last_transfer) "
          "WHERE payments.id = made.id"),
      insert_references_(
          "INSERT INTO payment_references (reference, principal, payment_id) "
          "SELECT * FROM unnest($1, $2, $3)"),
      insert_entries_(
          "INSERT INTO transfers (id, payment_id, kind, debit_account, credit_account, amount, "
          "currency, public_id, token, principal, owner, key, reason, created_at_ms, previous, "
          "movement, seal) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "
          "$13, $14, $15, $16, $17)"),
      insert_turns_("INSERT INTO clock_turns (transfer_id) SELECT * FROM unnest($1)"),
      put_balances_(
          "INSERT INTO balances (currency, account, debits, credits) "
          "SELECT * FROM unnest($1, $2, $3, $4) ON CONFLICT (currency, account) DO UPDATE "
          "SET debits = excluded.debits, credits = excluded.credits"),
      insert_mark_("INSERT INTO marks (transfer_id, booked_at_ms) VALUES ($1, $2)"),
      insert_mark_balances_(
          "INSERT INTO mark_balances (transfer_id, currency, account, debits, credits) "
          "SELECT $1, * FROM unnest($2, $3, $4, $5)") {}

void MoneyWriter::write(const Changes& changes) {
    insert_payments(changes.new_payments);
    update_payments(changes.payments);
    insert_references(changes.references);
    insert_entries(changes.ledger.entries);
    insert_turns(changes.ledger.turns);
    put_balances(changes.ledger.balances);
    if (changes.ledger.mark) insert_mark(*changes.ledger.mark);
}

void MoneyWriter::insert_payments(const std::vector<Payment>& payments) {
    if (payments.empty()) return;
    Texts id, currency, reference, metadata;
    Integers state, authorized, captured, refunded, created_at, hour, last;
    for (const auto& payment : payments) {
        id.add(payment.id);
        currency.add(payment.currency);
        state.add(static_cast<std::int64_t>(payment.state));
        authorized.add(payment.authorized_minor);
        captured.add(payment.captured_minor);
        refunded.add(payment.refunded_minor);
        reference.add(payment.reference);
        metadata.add(payment.metadata_json);
        created_at.add(ms(payment.created_at));
        hour.add(payment.authorized_hour);
        last.add(payment.last_transfer);
    }
    connection_.tell(insert_payments_, id, currency, state, authorized, captured, refunded,
                     reference, metadata, created_at, hour, last);
}

void MoneyWriter::update_payments(const std::vector<Payment>& payments) {
    if (payments.empty()) return;
    Texts id;
    Integers state, captured, refunded, last;
    for (const auto& payment : payments) {
        id.add(payment.id);
        state.add(static_cast<std::int64_t>(payment.state));
        captured.add(payment.captured_minor);
        refunded.add(payment.refunded_minor);
        last.add(payment.last_transfer);
    }
    connection_.tell(update_payments_, id, state, captured, refunded, last);
}

void MoneyWriter::insert_references(const std::vector<NewReference>& references) {
    if (references.empty()) return;
    Texts reference, principal, payment;
    for (const auto& made : references) {
        reference.add(made.reference);
        principal.add(made.principal);
        payment.add(made.payment_id);
    }
    connection_.tell(insert_references_, reference, principal, payment);
}

void MoneyWriter::insert_entries(const std::vector<JournalEntry>& entries) {
    if (entries.empty()) return;
    Integers id, kind, debit, credit, amount, token, booked_at, previous, movement;
    Texts payment, currency, principal, owner, key, reason;
    Bytes public_id, seal;
    for (const auto& entry : entries) {
        id.add(entry.id);
        payment.add(entry.payment_id);
        kind.add(static_cast<std::int64_t>(entry.kind));
        debit.add(static_cast<std::int64_t>(entry.debit));
        credit.add(static_cast<std::int64_t>(entry.credit));
        amount.add(entry.amount_minor);
        currency.add(entry.currency);
        public_id.add(Blob(entry.public_id.bytes));
        token.add(entry.token);
        principal.add(entry.principal);
        owner.add(entry.owner);
        key.add(entry.key);
        reason.add(entry.reason);
        booked_at.add(ms(entry.booked_at));
        previous.add(entry.previous);
        movement.add(entry.movement);
        seal.add(Blob(entry.seal));
    }
    connection_.tell(insert_entries_, id, payment, kind, debit, credit, amount, currency, public_id,
                     token, principal, owner, key, reason, booked_at, previous, movement, seal);
}

void MoneyWriter::insert_turns(const std::vector<std::int64_t>& turns) {
    if (turns.empty()) return;
    Integers entry;
    for (const auto turn : turns) entry.add(turn);
    connection_.tell(insert_turns_, entry);
}

void MoneyWriter::put_balances(const std::vector<BalanceChange>& balances) {
    if (balances.empty()) return;
    Texts currency;
    Integers account, debits, credits;
    for (const auto& change : balances) {
        currency.add(change.currency);
        account.add(static_cast<std::int64_t>(change.account));
        debits.add(change.balance.debits_minor);
        credits.add(change.balance.credits_minor);
    }
    connection_.tell(put_balances_, currency, account, debits, credits);
}

void MoneyWriter::insert_mark(const LedgerMark& mark) {
    connection_.tell(insert_mark_, mark.head.id, ms(mark.head.booked_at));
    Texts currency;
    Integers account, debits, credits;
    for (const auto& [name, accounts] : mark.balances) {
        for (std::size_t at = 0; at < accounts.size(); ++at) {
            currency.add(name);
            account.add(static_cast<std::int64_t>(at));
            debits.add(accounts[at].debits_minor);
            credits.add(accounts[at].credits_minor);
        }
    }
    if (!currency.is_empty())
        connection_.tell(insert_mark_balances_, mark.head.id, currency, account, debits, credits);
}

}  // namespace fencegate::storage::postgres
