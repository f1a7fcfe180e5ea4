// Payment routes: from request to command. Every write needs an Idempotency-Key, which ApiService
// reads; its token's presence and liveness are judged in the store, after the idempotency look-up.
#include "proxy/api/routes.hpp"
#include "proxy/http/query_parameters.hpp"
#include "proxy/http/request_headers.hpp"
#include "proxy/json/json_body.hpp"
#include "proxy/json/metadata.hpp"
#include "proxy/json/text_members.hpp"
#include "storage/money/money.hpp"
#include "storage/money/payment.hpp"

#include <algorithm>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kReferenceBytesMax = 128;
constexpr std::size_t kReasonBytesMax = 256;

Result<std::string> payment_id(std::string_view text) {
    if (!lockmgr::is_lock_segment(text))
        return fail(ErrorCode::PaymentNotFound,
                    "A payment id is 1 to 64 of A-Z a-z 0-9 . _ ~ : -.");
    return std::string(text);
}

Result<> require_key(const RouteRequest& request) {
    if (!request.head.idempotency_key)
        return fail(ErrorCode::IdempotencyKeyRequired,
                    "Every payment write needs an Idempotency-Key, so that a retry cannot pay "
                    "twice.");
    return {};
}

std::unexpected<Error> amount_refused() {
    return fail(ErrorCode::InvalidArgument, "amount must be from 1 to " +
                                                std::to_string(storage::kPaymentMinorMax) +
                                                " minor units (cents, yen, fils).");
}

Result<std::optional<std::int64_t>> read_amount(const JsonBody& body) {
    const auto amount = body.integer("amount");
    if (!amount) return std::unexpected(amount.error());
    if (*amount && (**amount < 1 || **amount > storage::kAmountMinorMax)) return amount_refused();
    return *amount;
}

Result<std::string> read_currency(const JsonBody& body) {
    auto currency = body.text("currency");
    if (!currency) return std::unexpected(currency.error());
    if (!*currency || storage::find_currency(**currency) == nullptr)
        return fail(ErrorCode::InvalidArgument,
                    "currency must be an ISO 4217 code in capitals, e.g. \"EUR\".");
    return **std::move(currency);
}

Result<Asked> build_move(const RouteRequest& request, storage::MovePayment::Kind kind,
                         std::initializer_list<std::string_view> members) {
    auto id = payment_id(request.parameters[0]);
    if (!id) return std::unexpected(id.error());
    if (const auto key = require_key(request); !key) return std::unexpected(key.error());
    const auto body = JsonBody::parse(request.body, members);
    if (!body) return std::unexpected(body.error());
    storage::MovePayment move{.kind = kind,
                              .payment_id = *std::move(id),
                              .amount_minor = std::nullopt,
                              .reason = {},
                              .token = read_fence_token(request.head),
                              .idempotency = {}};
    auto versions = read_if_match(request.head);
    if (!versions) return std::unexpected(versions.error());
    move.if_version = *std::move(versions);
    auto reason = read_text(*body, "reason", kReasonBytesMax);
    if (!reason) return std::unexpected(reason.error());
    move.reason = *std::move(reason);
    if (kind == storage::MovePayment::Kind::Cancel) return move;
    const auto amount = read_amount(*body);
    if (!amount) return std::unexpected(amount.error());
    move.amount_minor = *amount;
    return move;
}

Result<std::string> read_status(const Target& target) {
    const auto status = target.parameter("status");
    if (!status) return std::string();
    if (std::ranges::find(storage::kStatusNames, *status) != storage::kStatusNames.end())
        return std::string(*status);
    return fail(ErrorCode::InvalidArgument,
                "status must be one of authorized, captured, partially_captured, "
                "partially_refunded, refunded, cancelled, expired.");
}

// A reference is unique to its principal: whoever asks, unless they name another.
Result<> read_reference(const RouteRequest& request, storage::ListPayments& list) {
    const auto reference = request.target.parameter("reference");
    const auto principal = request.target.parameter("principal");
    if (principal && !reference)
        return fail(ErrorCode::InvalidArgument, "principal goes with reference: whose it is.");
    if (!reference) return {};
    if (reference->empty() || reference->size() > kReferenceBytesMax)
        return fail(ErrorCode::InvalidArgument, "reference must have 1 to 128 bytes.");
    if (request.target.parameter("cursor"))
        return fail(ErrorCode::InvalidArgument,
                    "reference takes no cursor: at most one payment has it.");
    list.reference = *reference;
    list.reference_principal = principal.value_or(request.principal);
    return {};
}

Result<Asked> build_create_payment(const RouteRequest& request) {
    if (const auto key = require_key(request); !key) return std::unexpected(key.error());
    const auto body = JsonBody::parse(
        request.body, {"amount", "currency", "capture", "id", "reference", "metadata"});
    if (!body) return std::unexpected(body.error());
    const auto amount = read_amount(*body);
    if (!amount) return std::unexpected(amount.error());
    if (!*amount) return fail(ErrorCode::InvalidArgument, "amount is required.");
    if (**amount > storage::kPaymentMinorMax) return amount_refused();
    auto currency = read_currency(*body);
    if (!currency) return std::unexpected(currency.error());
    const auto capture = body->boolean("capture");
    if (!capture) return std::unexpected(capture.error());
    auto id = body->text("id");
    if (!id) return std::unexpected(id.error());
    if (*id && !lockmgr::is_lock_segment(**id))
        return fail(ErrorCode::InvalidArgument,
                    "id must be 1 to 64 of A-Z a-z 0-9 . _ ~ : -, and neither \".\" nor \"..\".");
    auto reference = read_text(*body, "reference", kReferenceBytesMax);
    if (!reference) return std::unexpected(reference.error());
    auto metadata = body->object("metadata");
    if (!metadata) return std::unexpected(metadata.error());
    if (const auto fits = check_metadata(metadata->value_or("")); !fits)
        return std::unexpected(fits.error());
    return storage::CreatePayment{.id = id->value_or(""),
                                  .currency = *std::move(currency),
                                  .amount_minor = **amount,
                                  .capture = capture->value_or(true),
                                  .reference = *std::move(reference),
                                  .metadata_json = metadata->value_or(""),
                                  .token = read_fence_token(request.head),
                                  .idempotency = {}};
}

Result<Asked> build_capture(const RouteRequest& request) {
    return build_move(request, storage::MovePayment::Kind::Capture, {"amount", "reason"});
}

Result<Asked> build_refund(const RouteRequest& request) {
    return build_move(request, storage::MovePayment::Kind::Refund, {"amount", "reason"});
}

Result<Asked> build_cancel(const RouteRequest& request) {
    return build_move(request, storage::MovePayment::Kind::Cancel, {"reason"});
}

Result<Asked> build_read_payment(const RouteRequest& request) {
    auto id = payment_id(request.parameters[0]);
    if (!id) return std::unexpected(id.error());
    return storage::ReadPayment{*std::move(id)};
}

Result<Asked> build_list_payments(const RouteRequest& request) {
    const auto known = check_parameters(
        request.target,
        {"status", "reference", "principal", "created_from", "created_to", "limit", "cursor"});
    if (!known) return std::unexpected(known.error());
    storage::ListPayments list;
    auto status = read_status(request.target);
    if (!status) return std::unexpected(status.error());
    list.status = *std::move(status);
    const auto by_reference = read_reference(request, list);
    if (!by_reference) return std::unexpected(by_reference.error());
    const auto created = read_time_range(request.target, "created_from", "created_to");
    if (!created) return std::unexpected(created.error());
    list.created = *created;
    const auto place = read_place(request.target);
    if (!place) return std::unexpected(place.error());
    list.place = *place;
    const auto page = read_page(request.target);
    if (!page) return std::unexpected(page.error());
    list.limit = *page;
    return list;
}

Result<Asked> build_list_refunds(const RouteRequest& request) {
    const auto known = check_parameters(request.target, {"limit", "cursor"});
    if (!known) return std::unexpected(known.error());
    auto id = payment_id(request.parameters[0]);
    if (!id) return std::unexpected(id.error());
    const auto page = read_page(request.target);
    if (!page) return std::unexpected(page.error());
    const auto cursor = read_number(request.target, "cursor", 0, 0, storage::kAmountMinorMax);
    if (!cursor) return std::unexpected(cursor.error());
    return storage::ListRefunds{*std::move(id), *cursor, *page};
}

constexpr Route kRoutes[] = {
    {"POST", "/v1/payments", Scope::PaymentsWrite, build_create_payment, 201, "/v1/payments/"},
    {"POST", "/v1/payments/{id}/captures", Scope::PaymentsWrite, build_capture, 201},
    {"POST", "/v1/payments/{id}/refunds", Scope::PaymentsWrite, build_refund, 201},
    {"POST", "/v1/payments/{id}/cancel", Scope::PaymentsWrite, build_cancel},
    {"GET", "/v1/payments", Scope::PaymentsRead, build_list_payments},
    {"GET", "/v1/payments/{id}", Scope::PaymentsRead, build_read_payment},
    {"GET", "/v1/payments/{id}/refunds", Scope::PaymentsRead, build_list_refunds},
};

}  // namespace

std::span<const Route> payment_routes() noexcept { return kRoutes; }

}  // namespace fencegate::proxy
