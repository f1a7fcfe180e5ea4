// Feeds any bytes to the framing gate. Whatever it lets pass, Boost.Beast must parse as well and
// frame the same way: two parsers that disagree about one head are how requests are smuggled.
#include "proxy/http/framing_gate.hpp"
#include "proxy/http/request_head.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string_view>

namespace {

namespace http = boost::beast::http;
namespace proxy = fencegate::proxy;
using Parser = http::request_parser<http::string_body>;

void require(bool condition) {
    if (!condition) std::abort();
}

// However the bytes are cut into reads, the head must end at the same place.
void check_head_end(std::string_view bytes, std::optional<std::size_t> end) {
    const auto seen = bytes.find("\r\n\r\n");
    require(end == (seen == bytes.npos ? std::nullopt : std::optional(seen + 4)));
    const auto scanned = end ? *end - 1 : bytes.size();
    require(proxy::find_head_end(bytes.substr(0, scanned), scanned / 2) == std::nullopt);
    require(proxy::find_head_end(bytes, scanned) == end);
}

void check_framing_agrees(const proxy::Framing& framing, Parser& parser) {
    const auto& message = parser.get();
    require(message.version() == (framing.is_http_1_1 ? 11U : 10U));
    require(parser.chunked() == framing.chunked);
    const auto length = parser.content_length();
    require(length.has_value() == framing.content_length.has_value());
    require(!length || *length == *framing.content_length);
    // Beast lets keep-alive win over close on HTTP/1.0; the gate closes, which is the safe side.
    require(parser.keep_alive() == framing.keep_alive ||
            (!framing.is_http_1_1 && !framing.keep_alive));
    require(message.count(http::field::host) <= 1);
    require(!framing.is_http_1_1 || message.count(http::field::host) == 1);
    require(message.count(http::field::trailer) == 0);
    require(!framing.chunked ||
            boost::beast::iequals(message[http::field::transfer_encoding], "chunked"));
}

void check_same(std::optional<std::string_view> ours, const Parser& parser, const char* name) {
    const auto& fields = parser.get().base();
    const auto theirs = fields.find(name);
    require(ours.has_value() == (theirs != fields.end()));
    if (ours) require(*ours == std::string_view(theirs->value().data(), theirs->value().size()));
}

void check_head_agrees(std::string_view head, const Parser& parser) {
    const auto ours = proxy::read_head(head);
    const auto& message = parser.get();
    require(ours.method == std::string_view(message.method_string()));
    require(ours.target == std::string_view(message.target()));
    check_same(ours.authorization, parser, "Authorization");
    check_same(ours.content_type, parser, "Content-Type");
    check_same(ours.idempotency_key, parser, "Idempotency-Key");
    check_same(ours.fence_token, parser, "X-Fence-Token");
    check_same(ours.if_fence_token, parser, "If-Fence-Token");
    const auto tokens = message.count("X-Fence-Token");
    require(static_cast<std::size_t>(ours.fence_token_count) == tokens);
    require(message.count("Authorization") <= 1 && message.count("Idempotency-Key") <= 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto end = proxy::find_head_end(bytes, 0);
    check_head_end(bytes, end);
    const auto head = bytes.substr(0, end.value_or(bytes.size()));
    const auto framing = proxy::check_framing(head);
    if (!framing) {
        require(!framing.error().detail.empty());
        return 0;
    }
    Parser parser;
    parser.header_limit(std::numeric_limits<std::uint32_t>::max());
    parser.body_limit(boost::none);
    boost::beast::error_code ec;
    const auto used = parser.put(boost::asio::buffer(head.data(), head.size()), ec);
    require(!ec && parser.is_header_done() && used == head.size());
    check_framing_agrees(*framing, parser);
    check_head_agrees(head, parser);
    return 0;
}
