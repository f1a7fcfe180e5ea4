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
    : insert_(connection,
              "INSERT INTO payments (id, currency, state, authorized, captured, refunded, "
              "reference, metadata, created_at_ms, authorized_hour, last_transfer) "
              "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      update_(connection,
              "UPDATE payments SET state = ?, captured = ?, refunded = ?, last_transfer = ? "
              "WHERE id = ?"),
      find_(connection,
            "SELECT currency, state, authorized, captured, refunded, reference, metadata, "
            "created_at_ms, last_transfer, authorized_hour FROM payments WHERE id = ?"),
      find_reference_(connection,
                      "SELECT payment_id FROM payment_references "
                      "WHERE reference = ? AND principal = ?"),
      insert_reference_(connection,
                        "INSERT INTO payment_references (reference, principal, payment_id) "
                        "VALUES (?, ?, ?)"),
      find_holds_(connection,
                  "SELECT authorized_hour, id FROM payments WHERE state = 0 "
                  "AND authorized_hour < ? AND (authorized_hour, id) > (?, ?) "
                  "ORDER BY authorized_hour, id LIMIT ?"),
      find_transfer_(connection,
                     "SELECT previous, kind, public_id, amount, reason, token, created_at_ms "
                     "FROM transfers WHERE id = ? AND payment_id = ?") {}

void PaymentRows::write(const Changes& changes) {
    for (const auto& payment : changes.new_payments)
        insert_.run(payment.id, payment.currency, static_cast<std::int64_t>(payment.state),
                    payment.authorized_minor, payment.captured_minor, payment.refunded_minor,
                    payment.reference, payment.metadata_json, ms(payment.created_at),
                    payment.authorized_hour, payment.last_transfer);
    for (const auto& payment : changes.payments)
        update_.run(static_cast<std::int64_t>(payment.state), payment.captured_minor,
                    payment.refunded_minor, payment.last_transfer, payment.id);
    for (const auto& [reference, principal, payment_id] : changes.references)
        insert_reference_.run(reference, principal, payment_id);
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
                   .last_transfer = row.integer(8),
                   .authorized_hour = row.integer(9)};
}

std::optional<std::string> PaymentRows::find_reference(std::string_view reference,
                                                       std::string_view principal) {
    auto row = find_reference_.query(reference, principal);
    if (!row.next()) return std::nullopt;
    return std::string(row.text(0));
}

std::vector<Hold> PaymentRows::holds_before(std::int64_t hour, const Hold& after, int limit) {
    std::vector<Hold> holds;
    auto row = find_holds_.query(hour, after.hour, after.payment_id, limit);
    while (row.next()) holds.push_back({row.integer(0), std::string(row.text(1))});
    return holds;
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
                               .token = row.token(5),
                               .created_at = WallTime(std::chrono::milliseconds(row.integer(6)))});
        }
        at = row.integer(0);
    }
    return refunds;
}

}  // namespace fencegate::storage::sqlite
