#include "proxy/http/reply.hpp"

#include "base/check.hpp"
#include "proxy/http/problem.hpp"

#include <boost/beast/http/status.hpp>

#include <charconv>

namespace fencegate::proxy {
namespace {

void append_integer(std::string& out, std::uint64_t value) {
    char digits[20];
    const auto [end, ec] = std::to_chars(digits, digits + sizeof digits, value);
    FG_CHECK(ec == std::errc{});
    out.append(digits, end);
}

std::string_view reason(int status) {
    namespace http = boost::beast::http;
    const auto text = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
    return {text.data(), text.size()};
}

// Whole seconds, rounded up: a client that comes back early would only be refused again.
void add_retry_after(Reply& reply, std::int64_t retry_after_ms) {
    if (retry_after_ms < 0) return;
    reply.add_header("Retry-After", std::to_string((retry_after_ms + 999) / 1000));
}

std::string_view name_of(storage::FenceStatus status) {
    switch (status) {
        case storage::FenceStatus::None: return "";
        case storage::FenceStatus::Live: return "live";
        case storage::FenceStatus::Stale: return "stale";
        case storage::FenceStatus::Released: return "released";
    }
    return "";
}

// The status line and what every answer carries.
void begin_head(int status, std::string_view request_id, std::string_view date, std::string& out) {
    out.append("HTTP/1.1 ");
    append_integer(out, static_cast<std::uint64_t>(status));
    out.append(" ").append(reason(status));
    out.append("\r\nDate: ").append(date);
    out.append("\r\nX-Request-Id: ").append(request_id);
    out.append("\r\nCache-Control: no-store\r\n");
}

}  // namespace

void Reply::add_header(std::string_view name, std::string_view value) {
    FG_CHECK(value.find_first_of("\r\n") == std::string_view::npos);
    headers.append(name).append(": ").append(value).append("\r\n");
}

Reply refuse(const Error& error, std::string_view request_id) {
    Reply reply;
    reply.status = problem_kind(error.code).status;
    reply.body = problem_document(error, request_id);
    reply.content_type = "application/problem+json";
    reply.code = code_name(error.code);
    add_retry_after(reply, error.retry_after_ms);
    if (error.code == ErrorCode::Unauthenticated)
        reply.add_header("WWW-Authenticate", "Bearer realm=\"fencegate\"");
    for (const auto& [name, value] : error.members) {
        if (name == "allow") reply.add_header("Allow", std::get<std::string>(value));
    }
    return reply;
}

Reply reply_to(storage::Answer answer, int success_status, std::string_view location,
               std::string_view request_id) {
    // A replayed refusal is the first one to the letter, with the id of the request it answered.
    const std::string_view first_id = answer.is_replayed && !answer.first_request_id.empty()
                                          ? std::string_view(answer.first_request_id)
                                          : request_id;
    Reply reply;
    if (answer.error) {
        reply = refuse(*answer.error, first_id);
    } else {
        reply.status = success_status;
        reply.body = std::move(answer.body);
        if (!location.empty())
            reply.add_header("Location", std::string(location) + answer.resource_id);
        if (answer.fencing_token)
            reply.add_header("X-Fence-Token", std::to_string(answer.fencing_token->value()));
        if (answer.version > 0)
            reply.add_header("ETag", '"' + std::to_string(answer.version) + '"');
    }
    if (answer.is_replayed) reply.add_header("Idempotency-Replayed", "true");
    reply.fence_status = name_of(answer.fence_status);
    if (!reply.fence_status.empty()) reply.add_header("X-Fence-Status", reply.fence_status);
    return reply;
}

void write_reply(const Reply& reply, std::string_view request_id, std::string_view date,
                 bool keep_alive, std::string& out) {
    begin_head(reply.status, request_id, date, out);
    if (!reply.body.empty()) out.append("Content-Type: ").append(reply.content_type).append("\r\n");
    // RFC 9110 §8.6: a 204 carries no Content-Length.
    if (reply.status != 204) {
        out.append("Content-Length: ");
        append_integer(out, reply.body.size());
        out.append("\r\n");
    }
    out.append(reply.headers);
    if (!keep_alive) out.append("Connection: close\r\n");
    out.append("\r\n").append(reply.body);
}

void write_body_head(std::string_view content_type, std::string_view request_id,
                     std::string_view date, bool is_chunked, bool keep_alive, std::string& out) {
    begin_head(200, request_id, date, out);
    out.append("Content-Type: ").append(content_type).append("\r\n");
    if (is_chunked) out.append("Transfer-Encoding: chunked\r\n");
    if (!is_chunked || !keep_alive) out.append("Connection: close\r\n");
    out.append("\r\n");
}

void write_stream_head(std::string_view request_id, std::string_view date, std::string& out) {
    begin_head(200, request_id, date, out);
    out.append("Content-Type: text/event-stream\r\n");
    out.append("X-Accel-Buffering: no\r\n");  // nginx would collect events until its page is full
    out.append("Connection: close\r\n\r\n");
}

}  // namespace fencegate::proxy
