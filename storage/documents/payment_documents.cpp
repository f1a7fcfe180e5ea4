#include "storage/documents/payment_documents.hpp"

#include "base/json_writer.hpp"
#include "storage/documents/ledger_documents.hpp"

namespace fencegate::storage {
namespace {

constexpr std::size_t kDocumentBytes = 384;  // a first guess that saves growing

void write_refund_members(JsonWriter& json, const Refund& refund, const Payment& payment) {
    json.member("id", refund_id(refund.id))
        .member("payment", payment.id)
        .member("amount", refund.amount_minor)
        .member("currency", payment.currency)
        .member("reason", refund.reason)
        .key("fencing_token");
    refund.token ? json.integer(refund.token->value()) : json.null();
    json.member("created_at", rfc3339(refund.created_at).text);
}

void write_payment(JsonWriter& json, const Payment& payment) {
    json.begin_object()
        .member("id", payment.id)
        .member("status", status_name(payment))
        .member("amount", payment.authorized_minor)
        .member("currency", payment.currency)
        .member("amount_capturable", capturable_minor(payment))
        .member("amount_captured", payment.captured_minor)
        .member("amount_refunded", payment.refunded_minor)
        .member("amount_refundable", refundable_minor(payment))
        .member("reference", payment.reference)
        .member("created_at", rfc3339(payment.created_at).text)
        .member("version", payment.last_transfer);
    json.member_raw("metadata", payment.metadata_json).end_object();
}

}  // namespace

std::string payment_document(const Payment& payment) {
    std::string out;
    out.reserve(kDocumentBytes);
    JsonWriter json(out);
    write_payment(json, payment);
    return out;
}

std::string payments_document(const std::vector<Payment>& payments, std::string_view next_cursor,
                              std::string_view previous_cursor) {
    std::string out;
    out.reserve(kDocumentBytes * (payments.size() + 1));
    JsonWriter json(out);
    json.begin_object().key("data").begin_array();
    for (const auto& payment : payments) write_payment(json, payment);
    json.end_array();
    write_cursors(json, next_cursor, previous_cursor);
    json.end_object();
    return out;
}

std::string refund_document(const Refund& refund, const Payment& after) {
    std::string out;
    out.reserve(kDocumentBytes);
    JsonWriter json(out);
    json.begin_object();
    write_refund_members(json, refund, after);
    json.member("payment_status", status_name(after))
        .member("amount_refunded", after.refunded_minor)
        .member("amount_refundable", refundable_minor(after))
        .end_object();
    return out;
}

std::string refunds_document(const std::vector<Refund>& refunds, const Payment& payment,
                             bool has_more) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().key("data").begin_array();
    for (const auto& refund : refunds) {
        json.begin_object();
        write_refund_members(json, refund, payment);
        json.end_object();
    }
    json.end_array().member_bool("has_more", has_more);
    if (has_more) json.member("next_cursor", std::to_string(refunds.back().transfer_id));
    json.end_object();
    return out;
}

std::string refund_id(const Uuid& id) { return "ref_" + to_hex(id); }

}  // namespace fencegate::storage
