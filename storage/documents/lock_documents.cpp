#include "storage/documents/lock_documents.hpp"

namespace fencegate::storage {

using lockmgr::Claim;
using lockmgr::FencingToken;
using lockmgr::Lease;
using lockmgr::LeaseState;
using lockmgr::LockMode;
using lockmgr::LockName;
using lockmgr::Party;
using lockmgr::Waiter;

namespace {

constexpr std::size_t kDocumentBytes = 448;  // a first guess that saves growing

void write_locks(JsonWriter& json, const std::vector<LockName>& locks) {
    if (locks.size() == 1) json.member("lock", locks.front().value());
    json.key("locks").begin_array();
    for (const auto& lock : locks) json.string(lock.value());
    json.end_array();
}

void write_claim(JsonWriter& json, const Claim& claim) {
    json.member("mode", lock_mode_name(claim.mode));
    if (claim.mode == LockMode::Semaphore) json.member("permits", claim.permits);
}

void write_view_members(JsonWriter& json, const LeaseView& view) {
    const auto& lease = view.lease;
    write_lease_members(json, lease);
    json.member("remaining_ms", view.remaining.value_or(Duration::zero()).count())
        .member("state", lease_state_name(lease.state))
        .member("granted_at", rfc3339(lease.granted_at).text);
    if (lease.state != LeaseState::Live) json.member("ended_at", rfc3339(lease.ended_at).text);
    json.member_raw("metadata", lease.metadata_json);
}

void write_place(JsonWriter& json, const PlaceView& place, std::size_t position, BootTime now) {
    const auto& waiter = *place.waiter;
    json.begin_object()
        .member("position", static_cast<std::int64_t>(position))
        .member("principal", waiter.principal)
        .member("owner", waiter.owner);
    write_claim(json, waiter.claim);
    json.member("waited_ms", ms_between(waiter.since, now));
    if (place.kept) {
        json.member_bool("away", true).member("place_kept_ms", place.kept->count());
    } else {
        json.member("gives_up_in_ms", ms_between(now, waiter.deadline));
    }
    if (waiter.locks.size() > 1) write_locks(json, waiter.locks);
    json.end_object();
}

void write_lock_members(JsonWriter& json, const LockView& view) {
    const bool is_held = view.holder_count > 0;
    json.member("lock", view.lock.value())
        .member("state", is_held          ? "held"
                         : view.rests_for ? "resting"
                                          : "free");
    if (view.rests_for) json.member("rests_for_ms", view.rests_for->count());
    if (is_held) {
        write_claim(json, view.holders.front().lease.claim);
        json.member("holder_count", static_cast<std::int64_t>(view.holder_count));
    }
    json.member("waiters", static_cast<std::int64_t>(view.waiter_count));
    if (view.away_count > 0)
        json.member("waiters_away", static_cast<std::int64_t>(view.away_count));
    if (!is_held) return;
    json.key("holder");
    write_holder(json, view.holders.front());
    if (view.holders.size() == 1) return;
    json.key("holders").begin_array();
    for (const auto& holder : view.holders) write_holder(json, holder);
    json.end_array();
}

void write_refusal(JsonWriter& json, const RefusedWrite& refusal) {
    json.begin_object()
        .member("at", rfc3339(refusal.at).text)
        .member("principal", refusal.principal)
        .member("code", refusal.code)
        .member("route", refusal.route)
        .member("late_ms", refusal.late_ms)
        .member("request_id", refusal.request_id);
    if (refusal.current_token) {
        json.member("current_token", refusal.current_token->value())
            .member("current_owner", refusal.current_owner);
    }
    json.end_object();
}

void write_party(JsonWriter& json, std::string_view name, const Party& party) {
    json.key(name)
        .begin_object()
        .member("principal", party.principal)
        .member("owner", party.owner)
        .end_object();
}

}  // namespace

void write_lease_members(JsonWriter& json, const Lease& lease) {
    json.member("lease_id", to_string(lease.id));
    write_locks(json, lease.locks);
    json.member("fencing_token", lease.token.value()).member("owner", lease.owner);
    write_claim(json, lease.claim);
    json.member("ttl_ms", lease.ttl.count());
}

void write_holder(JsonWriter& json, const LeaseView& holder) {
    json.begin_object();
    write_lease_members(json, holder.lease);
    json.member("principal", holder.lease.principal)
        .member("remaining_ms", holder.remaining.value_or(Duration::zero()).count())
        .member("granted_at", rfc3339(holder.lease.granted_at).text)
        .member_raw("metadata", holder.lease.metadata_json)
        .end_object();
}

std::string lease_document(const LeaseView& view) {
    std::string out;
    out.reserve(kDocumentBytes);
    JsonWriter json(out);
    json.begin_object();
    write_view_members(json, view);
    json.end_object();
    return out;
}

std::string renewed_document(const LeaseView& view, const lockmgr::RenewalDecision& decision) {
    std::string out;
    out.reserve(kDocumentBytes);
    JsonWriter json(out);
    json.begin_object();
    write_view_members(json, view);
    if (decision.hold_left)
        json.member("warning", "max_hold").member("hold_left_ms", decision.hold_left->count());
    else if (decision.stalled_renewals_left)
        json.member("warning", "no_progress");
    if (decision.stalled_renewals_left)
        json.member("stalled_renewals_left", *decision.stalled_renewals_left);
    json.end_object();
    return out;
}

std::string lock_document(const LockView& view, BootTime now) {
    std::string out;
    out.reserve(kDocumentBytes);
    JsonWriter json(out);
    json.begin_object();
    write_lock_members(json, view);
    if (!view.line.empty()) {
        json.key("line").begin_array();
        std::size_t position = 0;
        for (const auto& place : view.line) write_place(json, place, ++position, now);
        json.end_array();
    }
    json.end_object();
    return out;
}

std::string lock_list_document(const std::vector<LockView>& views, std::string_view next_cursor) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().key("data").begin_array();
    for (const auto& view : views) {
        json.begin_object();
        write_lock_members(json, view);
        json.end_object();
    }
    json.end_array().member_bool("has_more", !next_cursor.empty());
    if (!next_cursor.empty()) json.member("next_cursor", next_cursor);
    json.end_object();
    return out;
}

std::string history_document(const LockName& lock, const std::vector<HistoryView>& leases,
                             bool has_more) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().member("lock", lock.value()).key("data").begin_array();
    for (const auto& entry : leases) {
        json.begin_object();
        write_view_members(json, entry.view);
        json.member("principal", entry.view.lease.principal);
        if (!entry.break_reason.empty()) json.member("break_reason", entry.break_reason);
        json.member("refused_writes", entry.refused_writes).key("refusals").begin_array();
        for (const auto& refusal : entry.refusals) write_refusal(json, refusal);
        json.end_array().end_object();
    }
    json.end_array().member_bool("has_more", has_more);
    if (has_more)
        json.member("next_cursor", std::to_string(leases.back().view.lease.token.value()));
    json.end_object();
    return out;
}

std::string verify_document(const LockName& lock, FencingToken token, const LeaseView* view,
                            bool is_good, std::optional<FencingToken> current_token) {
    std::string out;
    out.reserve(kDocumentBytes);
    JsonWriter json(out);
    json.begin_object()
        .member("lock", lock.value())
        .member("fencing_token", token.value())
        .member_bool("live", is_good)
        .member("state", view != nullptr ? lease_state_name(view->lease.state) : "unknown");
    if (current_token) json.member("current_token", current_token->value());
    if (view != nullptr) {
        json.key("lease");
        write_holder(json, *view);
    }
    json.end_object();
    return out;
}

std::string longest_held_document(const std::vector<LeaseView>& held, BootTime now) {
    std::string text;
    JsonWriter json(text);
    json.begin_array();
    for (const auto& view : held) {
        json.begin_object();
        json.member("held_ms", ms_between(view.lease.held_since, now));
        json.member("principal", view.lease.principal);
        write_view_members(json, view);
        json.end_object();
    }
    json.end_array();
    return text;
}

std::string deadlocks_document(const std::vector<lockmgr::WaitCycle>& cycles) {
    std::string out;
    JsonWriter json(out);
    json.begin_object()
        .member("count", static_cast<std::int64_t>(cycles.size()))
        .key("deadlocks")
        .begin_array();
    for (const auto& cycle : cycles) {
        json.begin_object().key("waits").begin_array();
        for (const auto& wait : cycle) {
            json.begin_object();
            write_party(json, "waiter", wait.waiter);
            json.member("lock", wait.lock.value());
            write_party(json, "blocker", wait.blocker);
            json.member("blocker_is", wait.blocker_holds ? "holder" : "ahead_in_line").end_object();
        }
        json.end_array().end_object();
    }
    json.end_array().end_object();
    return out;
}

}  // namespace fencegate::storage
