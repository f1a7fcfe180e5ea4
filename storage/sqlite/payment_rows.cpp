#include "storage/sqlite/payment_rows.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace fencegate::storage::sqlite {
namespace {

std::int64_t ms(WallTime time) { return time.time_since_epoch().count(); }

Uuid read_uuid(Blob bytes) {
    Uuid id;
    FG_CHECK(bytes.size() == id.bytes.size());
    std::ranges::copy(bytes, id.bytes.begin());
    return id;
}

}  // namespace

PaymentRows::PaymentRows(Connection& connection)
    : connection_(connection),
      insert_(connection,
              "INSERT INTO payments (id, currency, state, authorized, captured, refunded, "
              "reference, metadata, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      update_(connection,
              "UPDATE payments SET state = ?, captured = ?, refunded = ?, last_transfer = ? "
              "WHERE id = ?"),
      find_(connection,
            "SELECT currency, state, authorized, captured, refunded, reference, metadata, "
            "created_at_ms, last_transfer FROM payments WHERE id = ?"),
      insert_transfer_(connection,
                       "INSERT INTO transfers (payment_id, kind, debit_account, credit_account, "
                       "amount, currency, public_id, token, principal, reason, created_at_ms, "
                       "previous) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      find_transfer_(connection,
                     "SELECT previous, kind, public_id, amount, reason, token, created_at_ms "
                     "FROM transfers WHERE id = ? AND payment_id = ?") {}

void PaymentRows::insert(const Payment& payment) {
    insert_.run(payment.id, payment.currency, static_cast<std::int64_t>(payment.state),
                payment.authorized_minor, payment.captured_minor, payment.refunded_minor,
                payment.reference, payment.metadata_json, ms(payment.created_at));
}

void PaymentRows::update(const Payment& payment) {
    update_.run(static_cast<std::int64_t>(payment.state), payment.captured_minor,
                payment.refunded_minor, payment.last_transfer, payment.id);
}

std::optional<Payment> PaymentRows::find(std::string_view id) {
    auto row = find_.query(id);
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
                   .last_transfer = row.integer(8)};
}

void PaymentRows::insert_transfer(Payment& payment, const TransferDraft& draft,
                                  const TransferContext& context) {
    const auto [debit, credit] = accounts_of(draft.kind);
    insert_transfer_.run(payment.id, static_cast<std::int64_t>(draft.kind),
                         static_cast<std::int64_t>(debit), static_cast<std::int64_t>(credit),
                         draft.amount_minor, payment.currency, Blob(context.public_id.bytes),
                         context.token, context.principal, context.reason, ms(context.now),
                         payment.last_transfer);
    payment.last_transfer = connection_.last_insert_id();
}

std::optional<std::vector<Refund>> PaymentRows::refunds(const Payment& payment, std::int64_t before,
                                                        int limit) {
    auto at = payment.last_transfer;
    if (before != 0) {
        auto row = find_transfer_.query(before, payment.id);
        if (!row.next()) return std::nullopt;
        at = row.integer(0);
    }
    std::vector<Refund> refunds;
    while (at != 0 && refunds.size() < static_cast<std::size_t>(limit)) {
        auto row = find_transfer_.query(at, payment.id);
        if (!row.next()) break;
        if (row.integer(1) == static_cast<std::int64_t>(TransferKind::Refund)) {
            refunds.push_back({.transfer_id = at,
                               .id = read_uuid(row.blob(2)),
                               .amount_minor = row.integer(3),
                               .reason = std::string(row.text(4)),
                               .token = row.integer(5),
                               .created_at = WallTime(std::chrono::milliseconds(row.integer(6)))});
        }
        at = row.integer(0);
    }
    return refunds;
}

}  // namespace fencegate::storage::sqlite
