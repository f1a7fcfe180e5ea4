#include "storage/documents.hpp"

#include "base/json_writer.hpp"

namespace fencegate::storage {

using lockmgr::Lease;
using lockmgr::LeaseState;
using lockmgr::LockName;

namespace {

constexpr std::size_t kDocumentBytes = 384;  // a first guess that saves growing

void write_object_member(JsonWriter& json, std::string_view name, std::string_view object) {
    if (!object.empty()) json.key(name).raw(object);
}

void write_lease_members(JsonWriter& json, const Lease& lease) {
    json.member("lease_id", to_string(lease.id))
        .member("lock", lease.lock.value())
        .member("fencing_token", lease.token.value())
        .member("owner", lease.owner)
        .member("mode", "exclusive")
        .member("ttl_ms", lease.ttl.count());
}

void write_refund_members(JsonWriter& json, const Refund& refund, const Payment& payment) {
    json.member("id", refund_id(refund.id))
        .member("payment", payment.id)
        .member("amount", refund.amount_minor)
        .member("currency", payment.currency)
        .member("reason", refund.reason)
        .member("fencing_token", refund.token)
        .member("created_at", rfc3339(refund.created_at).text);
}

}  // namespace

std::string_view lease_state_name(LeaseState state) noexcept {
    switch (state) {
        case LeaseState::Live: return "live";
        case LeaseState::Expired: return "expired";
        case LeaseState::Superseded: return "superseded";
        case LeaseState::Released: return "released";
        case LeaseState::Broken: return "broken";
    }
    return "live";
}

std::string lease_document(const Lease& lease, std::optional<Duration> remaining) {
    std::string out;
    out.reserve(kDocumentBytes);
    JsonWriter json(out);
    json.begin_object();
    write_lease_members(json, lease);
    json.member("remaining_ms", remaining.value_or(Duration::zero()).count())
        .member("state", lease_state_name(lease.state))
        .member("granted_at", rfc3339(lease.granted_at).text);
    if (lease.state != LeaseState::Live) json.member("ended_at", rfc3339(lease.ended_at).text);
    write_object_member(json, "metadata", lease.metadata_json);
    json.end_object();
    return out;
}

std::string lock_document(const LockName& lock, const std::optional<Lease>& lease,
                          Duration remaining, std::size_t waiters) {
    std::string out;
    out.reserve(kDocumentBytes);
    JsonWriter json(out);
    json.begin_object()
        .member("lock", lock.value())
        .member("state", lease ? "held" : "free")
        .member("waiters", static_cast<std::int64_t>(waiters));
    if (lease) {
        json.key("holder").begin_object();
        write_lease_members(json, *lease);
        json.member("principal", lease->principal)
            .member("remaining_ms", remaining.count())
            .member("granted_at", rfc3339(lease->granted_at).text);
        write_object_member(json, "metadata", lease->metadata_json);
        json.end_object();
    }
    json.end_object();
    return out;
}

std::string payment_document(const Payment& payment) {
    std::string out;
    out.reserve(kDocumentBytes);
    JsonWriter json(out);
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
        .member("created_at", rfc3339(payment.created_at).text);
    write_object_member(json, "metadata", payment.metadata_json);
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
