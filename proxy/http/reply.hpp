#pragma once
// Reply: what goes back for one request, and its bytes. Header and body become one buffer, so that
// a small answer is one TLS record and one write.
// Thread rule: plain values.

#include "base/result.hpp"
#include "storage/model/command.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace fencegate::proxy {

struct Reply {
    int status = 200;
    std::string body;
    std::string_view content_type = "application/json";  // a literal; sent if there is a body
    std::string headers;                                 // further header lines, each with CRLF
    std::string_view code;                               // of the problem, for the log; a literal
    std::string_view fence_status;                       // X-Fence-Status, likewise

    // REQUIRES: neither holds CR or LF. Values come from this program or passed a grammar.
    void add_header(std::string_view name, std::string_view value);
};

// The problem document, with Retry-After where waiting helps.
[[nodiscard]] Reply refuse(const Error& error, std::string_view request_id);

// The store's answer. `success_status` is the route's; `location` precedes the resource's id in
// Location, empty: none.
[[nodiscard]] Reply reply_to(storage::Answer answer, int success_status, std::string_view location,
                             std::string_view request_id);

// Appends the bytes of the whole message to `out`.
void write_reply(const Reply& reply, std::string_view request_id, std::string_view date,
                 bool keep_alive, std::string& out);

// Appends the head of a 200 whose body follows in pieces: chunked, or, for HTTP/1.0, until the
// connection ends.
void write_body_head(std::string_view content_type, std::string_view request_id,
                     std::string_view date, bool is_chunked, bool keep_alive, std::string& out);

// Appends the head of a 200 whose body is a stream of events. It has no length: it ends with the
// connection, as HTTP/1.0 clients understand it too.
void write_stream_head(std::string_view request_id, std::string_view date, std::string& out);

}  // namespace fencegate::proxy
