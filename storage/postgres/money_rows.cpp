// Payments, their references and refunds, and what a start reads of the ledger.
#include "base/check.hpp"
#include "storage/postgres/postgres_rows.hpp"

#include <algorithm>

namespace fencegate::storage::postgres {
namespace {

Uuid uuid_in(Blob bytes) {
    Uuid id;
    FG_CHECK(bytes.size() == id.bytes.size());
    std::ranges::copy(bytes, id.bytes.begin());
    return id;
}

}  // namespace

// Refunds: the chain is followed on the server, and no further than enough were found.
PaymentRows::PaymentRows(Connection& connection)
    : connection_(connection),
      find_(
          "SELECT currency, state, authorized, captured, refunded, reference, metadata, "
          "created_at_ms, last_transfer, authorized_hour FROM payments WHERE id = $1"),
      find_reference_(
          "SELECT payment_id FROM payment_references WHERE reference = $1 AND principal = $2"),
      holds_(
          "SELECT authorized_hour, id FROM payments WHERE state = 0 AND authorized_hour < $1 "
          "AND (authorized_hour, id) > ($2, $3) ORDER BY authorized_hour, id LIMIT $4"),
      previous_("SELECT previous FROM transfers WHERE id = $1 AND payment_id = $2"),
      refunds_(
          "WITH RECURSIVE chain AS ("
          " SELECT id, previous, kind, public_id, amount, reason, token, created_at_ms"
          " FROM transfers WHERE id = $1 AND payment_id = $2"
          " UNION ALL"
          " SELECT older.id, older.previous, older.kind, older.public_id, older.amount,"
          " older.reason, older.token, older.created_at_ms"
          " FROM chain JOIN transfers AS older"
          " ON older.id = chain.previous AND older.payment_id = $2) "
          "SELECT id, public_id, amount, reason, token, created_at_ms FROM chain "
          "WHERE kind = 3 LIMIT $3") {}

std::optional<Payment> PaymentRows::find(std::string_view id) {
    auto row = connection_.ask(find_, id);
    if (!row.next()) return std::nullopt;
    return Payment{.id = std::string(id),
                   .currency = std::string(row.text(0)),
                   .state = static_cast<PaymentState>(row.integer(1)),
                   .authorized_minor = row.integer(2),
                   .captured_minor = row.integer(3),
                   .refunded_minor = row.integer(4),
                   .reference = std::string(row.text(5)),
                   .metadata_json = std::string(row.text(6)),
                   .created_at = WallTime(std::chrono::milliseconds(row.integer(7))),
                   .last_transfer = row.integer(8),
                   .authorized_hour = row.integer(9)};
}

std::optional<std::string> PaymentRows::find_reference(std::string_view reference,
                                                       std::string_view principal) {
    auto row = connection_.ask(find_reference_, reference, principal);
    if (!row.next()) return std::nullopt;
    return std::string(row.text(0));
}

std::vector<Hold> PaymentRows::holds_before(std::int64_t hour, const Hold& after, int limit) {
    std::vector<Hold> holds;
    auto row = connection_.ask(holds_, hour, after.hour, after.payment_id, std::int64_t{limit});
    while (row.next()) holds.push_back({row.integer(0), std::string(row.text(1))});
    return holds;
}

std::optional<std::vector<Refund>> PaymentRows::refunds(const Payment& payment, std::int64_t before,
                                                        int limit) {
    auto at = payment.last_transfer;
    if (before != 0) {
        auto row = connection_.ask(previous_, before, payment.id);
        if (!row.next()) return std::nullopt;
        at = row.integer(0);
    }
    std::vector<Refund> refunds;
    auto row = connection_.ask(refunds_, at, payment.id, std::int64_t{limit});
    while (row.next())
        refunds.push_back({.transfer_id = row.integer(0),
                           .id = uuid_in(row.blob(1)),
                           .amount_minor = row.integer(2),
                           .reason = std::string(row.text(3)),
                           .token = row.token(4),
                           .created_at = WallTime(std::chrono::milliseconds(row.integer(5)))});
    std::ranges::sort(refunds, std::greater(), &Refund::transfer_id);
    return refunds;
}

// Entries are numbered without a gap within an epoch: the newest of each says how many they are.
LedgerRows::LedgerRows(Connection& connection)
    : connection_(connection),
      head_(
          "SELECT id, created_at_ms, seal, (SELECT coalesce(max(transfer_id), 0) FROM marks) "
          "FROM transfers ORDER BY id DESC LIMIT 1"),
      count_(
          "WITH RECURSIVE newest(id) AS ("
          " SELECT max(id) FROM transfers"
          " UNION ALL"
          " SELECT (SELECT max(id) FROM transfers WHERE id <= (newest.id >> 43) << 43)"
          " FROM newest WHERE newest.id IS NOT NULL) "
          "SELECT coalesce(sum(id - ((id >> 43) << 43)), 0)::bigint FROM newest"),
      balances_("SELECT currency, account, debits, credits FROM balances"),
      epoch_("SELECT epoch FROM tokens WHERE id = 1") {}

LedgerState LedgerRows::read() {
    LedgerState state;
    if (auto row = connection_.ask(head_); row.next()) {
        state.head.id = row.integer(0);
        state.head.booked_at = WallTime(std::chrono::milliseconds(row.integer(1)));
        const auto seal = row.blob(2);
        if (seal.size() == state.head.seal.size()) std::ranges::copy(seal, state.head.seal.begin());
        state.head.marked = row.integer(3);
    }
    if (auto row = connection_.ask(count_); row.next()) state.head.entries = row.integer(0);
    auto row = connection_.ask(balances_);
    while (row.next()) {
        const auto account = static_cast<std::size_t>(row.integer(1));
        state.balances[std::string(row.text(0))].at(account) = {row.integer(2), row.integer(3)};
    }
    if (auto epoch = connection_.ask(epoch_); epoch.next()) state.epoch = epoch.integer(0);
    return state;
}

}  // namespace fencegate::storage::postgres
