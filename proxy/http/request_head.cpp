#include "proxy/http/request_head.hpp"

#include "proxy/http/header_lines.hpp"

namespace fencegate::proxy {
namespace {

void pick_field(RequestHead& found, const HeaderField& field) noexcept {
    switch (header_id(field.name)) {
        case HeaderId::AcceptEncoding:
            if (!found.accept_encoding) found.accept_encoding = field.value;
            return;
        case HeaderId::Authorization: found.authorization = field.value; return;
        case HeaderId::ContentType: found.content_type = field.value; return;
        case HeaderId::IdempotencyKey: found.idempotency_key = field.value; return;
        case HeaderId::IfFenceToken: found.if_fence_token = field.value; return;
        case HeaderId::IfMatch: found.if_match = field.value; return;
        case HeaderId::LastEventId: found.last_event_id = field.value; return;
        case HeaderId::Traceparent:
            // W3C trace context: more than one traceparent is as good as none.
            found.traceparent = found.traceparent ? std::string_view{} : field.value;
            return;
        case HeaderId::XFenceRelease:
            if (found.fence_release_count++ == 0) found.fence_release = field.value;
            return;
        case HeaderId::XFenceToken:
            if (found.fence_token_count++ == 0) found.fence_token = field.value;
            return;
        case HeaderId::Other:
        case HeaderId::Connection:
        case HeaderId::ContentLength:
        case HeaderId::Expect:
        case HeaderId::Host:
        case HeaderId::ProxyConnection:
        case HeaderId::Trailer:
        case HeaderId::TransferEncoding: return;
    }
}

}  // namespace

RequestHead read_head(std::string_view head) noexcept {
    RequestHead found;
    const auto request_line = next_line(head);
    const auto first = request_line.find(' ');
    const auto last = request_line.rfind(' ');
    if (first == std::string_view::npos || first == last) return found;  // not a gated head
    found.method = request_line.substr(0, first);
    found.target = request_line.substr(first + 1, last - first - 1);
    while (!head.empty()) pick_field(found, split_field(next_line(head)));
    return found;
}

}  // namespace fencegate::proxy
