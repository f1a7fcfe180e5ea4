// Payments, the journal, and what is kept of it elsewhere.
#include "storage/sqlite/journal_rows.hpp"
#include "storage/sqlite/statement_cursor.hpp"
#include "storage/sqlite/verify_rows.hpp"

namespace fencegate::storage::sqlite {
namespace {

using From = Statement::Row;

// The entries in the order of their ids, each with the lease of its token. They follow their tokens
// but for a few, so the leases are read almost in their order too.
class JournalCursor final : public Cursor<StoredEntry> {
public:
    explicit JournalCursor(Connection& connection)
        : entries_(
              connection,
              (std::string("SELECT ") + kEntryColumns + " FROM transfers ORDER BY id").c_str()),
          entry_(entries_.query()),
          lease_(connection,
                 "SELECT lock, principal, owner, mode, state, ended_at_ms "
                 "FROM leases WHERE token = ?") {}

    [[nodiscard]] const StoredEntry* next() override {
        is_over_ = is_over_ || !entry_.next();
        if (is_over_) return nullptr;
        row_.entry = entry_of(entry_);
        row_.token = number_in(entry_, kEntryTokenColumn);
        find_lease();
        return &row_;
    }

private:
    void find_lease() {
        if (!row_.entry.token) return row_.lease.reset();
        auto found = lease_.query(*row_.entry.token);
        if (!found.next()) return row_.lease.reset();
        if (!row_.lease) row_.lease.emplace();
        auto& lease = *row_.lease;
        lease.lock = found.text(0);
        lease.principal = found.text(1);
        lease.owner = found.text(2);
        lease.mode = static_cast<lockmgr::LockMode>(found.integer(3));
        lease.state = static_cast<lockmgr::LeaseState>(found.integer(4));
        lease.ended_at = time_in(found, 5);
    }

    Statement entries_;
    Statement::Row entry_;
    Statement lease_;
    StoredEntry row_;
    bool is_over_ = false;
};

#define FG_ENTRY_OF_PAYMENT                                                            \
    "payment_id, id, kind, amount, currency, token, principal, key <> '', public_id, " \
    "created_at_ms, previous, movement"

void fill_payment_entry(const From& from, PaymentEntry& to) {
    to.payment_id = from.text(0);
    to.id = from.integer(1);
    to.kind = static_cast<TransferKind>(from.integer(2));
    to.amount_minor = from.integer(3);
    to.currency = from.text(4);
    to.token = number_in(from, 5);
    to.principal = from.text(6);
    to.has_key = from.integer(7) != 0;
    copy_exactly(from.blob(8), to.public_id.bytes);
    to.booked_at = time_in(from, 9);
    to.previous = from.integer(10);
    to.movement = from.integer(11);
}

void fill_balance(const From& from, StoredBalance& to) {
    to.mark = from.integer(0);
    to.currency = from.text(1);
    to.account = from.integer(2);
    to.sums = {from.integer(3), from.integer(4)};
}

// A pass over the chain of one payment, whose id it keeps for the query.
class ChainCursor final : public Cursor<PaymentEntry> {
public:
    // UNION, so that a chain that somebody closed to a ring has an end.
    ChainCursor(Connection& connection, std::string payment_id)
        : payment_id_(std::move(payment_id)),
          entries_(connection,
                   "WITH RECURSIVE chain (id) AS "
                   "(SELECT last_transfer FROM payments WHERE id = ?1 UNION "
                   "SELECT previous FROM transfers JOIN chain USING (id)) "
                   "SELECT " FG_ENTRY_OF_PAYMENT " FROM chain JOIN transfers USING (id)",
                   fill_payment_entry, payment_id_) {}

    [[nodiscard]] const PaymentEntry* next() override { return entries_.next(); }

private:
    std::string payment_id_;
    StatementCursor<PaymentEntry, decltype(&fill_payment_entry)> entries_;
};

}  // namespace

Pass<StoredEntry> VerifyRows::journal() {
    return Pass<StoredEntry>(std::make_unique<JournalCursor>(connection_));
}

Pass<StoredMark> VerifyRows::marks() {
    return pass_over<StoredMark>(connection_,
                                 "SELECT transfer_id, booked_at_ms FROM marks ORDER BY transfer_id",
                                 [](const From& from, StoredMark& to) {
                                     to = {from.integer(0), time_in(from, 1)};
                                 });
}

Pass<StoredBalance> VerifyRows::mark_balances() {
    return pass_over<StoredBalance>(
        connection_,
        "SELECT transfer_id, currency, account, debits, credits FROM mark_balances "
        "ORDER BY transfer_id, currency, account",
        fill_balance);
}

Pass<StoredBalance> VerifyRows::balances() {
    return pass_over<StoredBalance>(connection_,
                                    "SELECT 0, currency, account, debits, credits FROM balances "
                                    "ORDER BY currency, account",
                                    fill_balance);
}

Pass<StoredConsumer> VerifyRows::consumers() {
    return pass_over<StoredConsumer>(connection_,
                                     "SELECT name, position FROM event_consumers ORDER BY name",
                                     [](const From& from, StoredConsumer& to) {
                                         to.name = from.text(0);
                                         to.position = from.integer(1);
                                     });
}

Pass<Payment> VerifyRows::payments() {
    return pass_over<Payment>(
        connection_,
        "SELECT id, currency, state, authorized, captured, refunded, reference, last_transfer, "
        "authorized_hour, created_at_ms FROM payments ORDER BY id",
        [](const From& from, Payment& to) {
            to.id = from.text(0);
            to.currency = from.text(1);
            to.state = static_cast<PaymentState>(from.integer(2));
            to.authorized_minor = from.integer(3);
            to.captured_minor = from.integer(4);
            to.refunded_minor = from.integer(5);
            to.reference = from.text(6);
            to.last_transfer = from.integer(7);
            to.authorized_hour = from.integer(8);
            to.created_at = time_in(from, 9);
        });
}

Pass<PaymentEntry> VerifyRows::entries_by_payment() {
    return pass_over<PaymentEntry>(
        connection_, "SELECT " FG_ENTRY_OF_PAYMENT " FROM transfers ORDER BY payment_id, id",
        fill_payment_entry);
}

Pass<FencedWrite> VerifyRows::fenced_writes() {
    return pass_over<FencedWrite>(
        connection_,
        "SELECT payment_id, id, token, created_at_ms, (SELECT before.created_at_ms FROM transfers "
        "AS before WHERE before.id = transfers.id - 1) FROM transfers "
        "WHERE id = movement AND kind <> 0 AND token IS NOT NULL ORDER BY payment_id, id",
        [](const From& from, FencedWrite& to) {
            to.payment_id = from.text(0);
            to.id = from.integer(1);
            to.token = from.integer(2);
            to.booked_at = time_in(from, 3);
            to.before = maybe_time_in(from, 4);
        });
}

Pass<StoredReference> VerifyRows::references() {
    return pass_over<StoredReference>(
        connection_,
        "SELECT payment_id, reference, principal FROM payment_references ORDER BY payment_id",
        [](const From& from, StoredReference& to) {
            to.payment_id = from.text(0);
            to.reference = from.text(1);
            to.principal = from.text(2);
        });
}

std::optional<StoredReference> VerifyRows::named_by(const std::string& reference,
                                                    const std::string& principal) {
    Statement find(
        connection_,
        "SELECT payment_id, coalesce(payments.reference, '') "
        "FROM payment_references AS named LEFT JOIN payments ON payments.id = payment_id "
        "WHERE named.reference = ? AND named.principal = ?");
    auto row = find.query(reference, principal);
    if (!row.next()) return std::nullopt;
    return StoredReference{std::string(row.text(0)), std::string(row.text(1)), principal};
}

Pass<PaymentEntry> VerifyRows::chain_of(const std::string& payment_id) {
    return Pass<PaymentEntry>(std::make_unique<ChainCursor>(connection_, payment_id));
}

}  // namespace fencegate::storage::sqlite
