#include "proxy/streams/watch_event.hpp"

#include "base/json_writer.hpp"

#include <algorithm>

namespace fencegate::proxy {
namespace {

using Kind = storage::LockNotice::Kind;

std::string_view event_name(const storage::LockNotice& notice) {
    switch (notice.kind) {
        case Kind::Granted: return "granted";
        case Kind::Renewed: return "renewed";
        case Kind::Ended: return lease_ending_name(notice.ending);
        case Kind::Refused: return "refused";
        case Kind::Proclaimed: return "proclaimed";
    }
    return "";
}

void begin(std::string_view event, std::string_view id, std::string& out) {
    out.append("event: ").append(event);
    if (!id.empty()) out.append("\nid: ").append(id);
    out.append("\ndata: ");
}

// A line break ends the field. JSON has them only between its tokens, where a blank does as well.
void end(std::size_t data_from, std::string& out) {
    const auto data = out.begin() + static_cast<std::ptrdiff_t>(data_from);
    std::replace_if(
        data, out.end(), [](char byte) { return byte == '\n' || byte == '\r'; }, ' ');
    out.append("\n\n");
}

void write_locks(const storage::LockNotice& notice, JsonWriter& json) {
    if (notice.locks.size() == 1) json.member("lock", notice.locks.front().value());
    json.key("locks").begin_array();
    for (const auto& lock : notice.locks) json.string(lock.value());
    json.end_array();
}

void write_refusal(const storage::LockNotice& notice, JsonWriter& json) {
    if (notice.refusal) json.member("code", code_name(*notice.refusal));
    if (notice.current_token) json.member("current_token", notice.current_token->value());
    json.member("late_ms", notice.late.count());
}

void write_details(const storage::LockNotice& notice, JsonWriter& json) {
    switch (notice.kind) {
        case Kind::Granted:
        case Kind::Renewed: json.member("ttl_ms", notice.ttl.count()); return;
        case Kind::Ended:
            if (notice.ending == lockmgr::LeaseEnding::Broken) json.member("reason", notice.text);
            return;
        case Kind::Refused: write_refusal(notice, json); return;
        case Kind::Proclaimed:
            json.key("value").raw(notice.text.empty() ? "null" : std::string_view(notice.text));
            return;
    }
}

void append_words(std::string_view event, std::string_view id, std::string_view reason,
                  std::string_view detail, std::string& out) {
    begin(event, id, out);
    JsonWriter json(out);
    json.begin_object();
    if (!reason.empty()) json.member("reason", reason);
    json.member("detail", detail).end_object();
    out.append("\n\n");
}

}  // namespace

void append_notice(const storage::LockNotice& notice, std::string_view id, std::string& out) {
    begin(event_name(notice), id, out);
    const auto data_from = out.size();
    JsonWriter json(out);
    json.begin_object();
    write_locks(notice, json);
    json.member("fencing_token", notice.token.value()).member("principal", notice.principal);
    if (notice.kind != Kind::Refused) json.member("owner", notice.owner);
    write_details(notice, json);
    json.member("at", std::string_view(rfc3339(notice.at).text)).end_object();
    end(data_from, out);
}

void append_opening(std::string_view id, std::string& out) {
    // A second: short beside a lease, long enough for a restart not to be a storm.
    out.append(": connected\nretry: 1000\n");
    if (!id.empty()) out.append("id: ").append(id).append("\n");
    out.append("\n");
}

void append_reset(std::string_view reason, std::string_view id, std::string& out) {
    append_words("reset", id, reason,
                 "Events were missed. Read the state again; what happens from now on follows.",
                 out);
}

void append_state(std::string_view document, std::string_view id, std::string& out) {
    begin("state", id, out);
    const auto data_from = out.size();
    out.append(document);
    end(data_from, out);
}

void append_heartbeat(std::string_view id, std::string& out) {
    out.append(": heartbeat\nid: ").append(id).append("\n\n");
}

void append_overrun(std::string& out) {
    append_words("overrun", {}, {},
                 "Events came faster than they were read, and some are lost. Connect again, read "
                 "the state again, and watch fewer locks or read faster.",
                 out);
}

void append_draining(std::string& out) {
    append_words("draining", {}, {},
                 "The gateway is shutting down. Connect again, with Last-Event-ID.", out);
}

}  // namespace fencegate::proxy
