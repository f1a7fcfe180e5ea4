#include "bench/response_parser.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace fencegate::bench {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::size_t kStatusLineMin = 12;  // "HTTP/1.1 200"

struct Head {
    ParsedResponse response;
    std::optional<std::size_t> content_length;
    bool is_valid = true;
};

bool same_name(std::string_view name, std::string_view lower_case) {
    return std::ranges::equal(name, lower_case, [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a | 0x20) : a) == b;
    });
}

template <typename Number>
bool parse_number(std::string_view text, Number& number) {
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    return parsed.ec == std::errc{} && parsed.ptr == end;
}

// The length decides first: it tells most headers apart without looking at their letters.
void take_header(Head& head, std::string_view name, std::string_view value) {
    switch (name.size()) {
        case 8:
            if (same_name(name, "location")) head.response.location = value;
            break;
        case 10:
            if (same_name(name, "connection")) head.response.closes = value == "close";
            break;
        case 13:
            if (same_name(name, "x-fence-token")) head.response.fence_token = value;
            break;
        case 14:
            if (same_name(name, "content-length")) {
                head.is_valid = parse_number(value, head.content_length.emplace());
            } else if (same_name(name, "x-fence-status")) {
                head.response.fence_status = value;
            }
            break;
        case 17:
            if (same_name(name, "transfer-encoding")) head.is_valid = false;
            break;
        default: break;
    }
}

// `text` is everything up to and including the CRLF of the last header.
void parse_head(Head& head, std::string_view text) {
    head.is_valid = text.size() >= kStatusLineMin && text.starts_with("HTTP/1.") &&
                    parse_number(text.substr(9, 3), head.response.status) &&
                    head.response.status >= 200;
    text.remove_prefix(std::min(text.size(), text.find("\r\n") + 2));
    while (head.is_valid && !text.empty()) {
        const auto end = text.find("\r\n");
        const auto colon = text.substr(0, end).find(':');
        head.is_valid = colon != std::string_view::npos;
        if (!head.is_valid) return;
        auto value = text.substr(colon + 1, end - colon - 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        take_header(head, text.substr(0, colon), value);
        text.remove_prefix(end + 2);
    }
}

}  // namespace

ParsedResponse parse_response(std::string_view received) {
    Head head;
    const auto head_end = received.find(kHeadEnd);
    if (head_end == std::string_view::npos) return head.response;
    parse_head(head, received.substr(0, head_end + 2));

    auto& response = head.response;
    response.state = ParsedResponse::State::Malformed;
    if (!head.is_valid) return response;
    if (response.status == 204 || response.status == 304) head.content_length = 0;
    if (!head.content_length) return response;
    const auto head_size = head_end + kHeadEnd.size();
    response.size = head_size + *head.content_length;
    const bool is_complete = received.size() >= response.size;
    if (is_complete) response.body = received.substr(head_size, *head.content_length);
    response.state =
        is_complete ? ParsedResponse::State::Complete : ParsedResponse::State::Incomplete;
    return response;
}

}  // namespace fencegate::bench
