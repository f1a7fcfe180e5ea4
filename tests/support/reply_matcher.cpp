#include "tests/support/reply_matcher.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <stdexcept>

namespace fencegate::testing {
namespace {

namespace json = boost::json;

// Where a value is expected or found; null if it is not there.
using Found = const json::value*;

std::string text_of(Found value) { return value == nullptr ? "absent" : json::serialize(*value); }

// "5..60"; nothing if the text is no range.
std::optional<bool> is_in_range(std::string_view range, Found actual) {
    const auto dots = range.find("..");
    if (dots == std::string_view::npos) return std::nullopt;
    const auto bound = [](std::string_view digits, std::int64_t otherwise) {
        if (digits.empty()) return std::optional(otherwise);
        std::int64_t number = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        const bool is_whole = read.ec == std::errc{} && read.ptr == digits.data() + digits.size();
        return is_whole ? std::optional(number) : std::nullopt;
    };
    const auto least = bound(range.substr(0, dots), std::numeric_limits<std::int64_t>::min());
    const auto most = bound(range.substr(dots + 2), std::numeric_limits<std::int64_t>::max());
    if (!least || !most) return std::nullopt;
    const auto* number = actual == nullptr ? nullptr : actual->if_int64();
    return number != nullptr && *least <= *number && *number <= *most;
}

// Whether the value is what "<…>" asks for; nothing if it asks for nothing known.
std::optional<bool> is_as_asked(std::string_view asked, Found actual) {
    if (asked == "absent") return actual == nullptr;
    if (asked == "any") return actual != nullptr;
    const auto* text = actual == nullptr ? nullptr : actual->if_string();
    if (asked == "text") return text != nullptr && !text->empty();
    if (asked == "time") return text != nullptr && text->ends_with('Z');
    if (asked.size() > 6 && asked.starts_with("...") && asked.ends_with("...")) {
        const auto part = asked.substr(3, asked.size() - 6);
        return text != nullptr && text->subview().find(part) != json::string_view::npos;
    }
    return is_in_range(asked, actual);
}

bool is_alike(const json::value& expected, Found actual) {
    if (const auto* text = expected.if_string()) {
        const std::string_view whole(text->data(), text->size());
        if (whole.starts_with('<') && whole.ends_with('>')) {
            const auto answer = is_as_asked(whole.substr(1, whole.size() - 2), actual);
            if (answer) return *answer;
        }
    }
    return actual != nullptr && *actual == expected;
}

// What differs below `path`, appended as one clause each.
void compare(const json::value& expected, Found actual, const std::string& path,
             std::string& differences) {
    const auto* members = expected.if_object();
    const auto* elements = expected.if_array();
    if (members != nullptr && actual != nullptr && actual->is_object()) {
        for (const auto& [name, value] : *members)
            compare(value, actual->get_object().if_contains(name), path + "/" + std::string(name),
                    differences);
    } else if (elements != nullptr && actual != nullptr && actual->is_array() &&
               elements->size() == actual->get_array().size()) {
        for (std::size_t at = 0; at < elements->size(); ++at)
            compare((*elements)[at], &actual->get_array()[at], path + "/" + std::to_string(at),
                    differences);
    } else if (!is_alike(expected, actual)) {
        const auto size = actual != nullptr && actual->is_array()
                              ? " of " + std::to_string(actual->get_array().size()) + " elements"
                              : std::string();
        differences.append(path + " is " + text_of(actual) + size + "; ");
    }
}

// The answer to a replayed request is the first one to the letter, its request id included.
void compare_request_id(const Response& reply, std::string& differences) {
    if (reply.header("Content-Type") != "application/problem+json") return;
    if (reply.header_count("Idempotency-Replayed") != 0 || !reply.has("request_id")) return;
    if (reply.json_text("request_id") == reply.header("X-Request-Id")) return;
    differences.append("/request_id is not that of the header X-Request-Id; ");
}

// A header as a value, so that what may be asked of members may be asked of it: a number is one.
std::optional<json::value> header_value(const Response& reply, std::string_view name) {
    if (reply.header_count(name) == 0) return std::nullopt;
    const auto text = reply.header(name);
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec == std::errc{} && read.ptr == text.data() + text.size()) return number;
    return json::value(text);
}

void compare_header(const Response& reply, const Headers::value_type& expected,
                    std::string& differences) {
    const auto& [name, asked] = expected;
    if (reply.header_count(name) != 0 && reply.header(name) == asked) return;
    const auto actual = header_value(reply, name);
    if (asked.starts_with('<') && is_alike(json::value(asked), actual ? &*actual : nullptr)) return;
    differences.append("header " + name + " is " + text_of(actual ? &*actual : nullptr) + "; ");
}

// As docs/api.md has it.
constexpr std::string_view kRetryable[] = {
    "request_timeout", "run_not_due",    "idempotency_in_flight", "lock_held",
    "queue_full",      "backup_running", "quota_exceeded",        "internal_error",
    "overloaded",      "draining",       "outcome_unknown",       "store_failed",
    "store_full",
};

}  // namespace

std::string filled_in(std::string_view pattern, std::initializer_list<Value> values) {
    std::string text;
    const auto* next = values.begin();
    for (const char c : pattern) {
        if (c != '$') {
            text += c;
            continue;
        }
        if (next == values.end())
            throw std::invalid_argument("a $ too many in " + std::string(pattern));
        text += (next++)->text();
    }
    if (next != values.end())
        throw std::invalid_argument("a value too many for " + std::string(pattern));
    return text;
}

ReplyMatcher::ReplyMatcher(std::optional<int> status, std::string members) : status_(status) {
    *this = saying(std::move(members));
}

ReplyMatcher ReplyMatcher::with(std::string_view header, std::string_view expected) const {
    auto more = *this;
    more.headers_.emplace_back(header, expected);
    return more;
}

ReplyMatcher ReplyMatcher::saying(std::string members) const {
    auto more = *this;
    if (members.empty()) return more;
    json::error_code ec;
    static_cast<void>(json::parse(members, ec));
    if (ec) throw std::invalid_argument("a pattern that is no JSON: " + members);
    more.members_.push_back(std::move(members));
    return more;
}

bool ReplyMatcher::MatchAndExplain(const Response& reply, std::ostream* explanation) const {
    std::string differences;
    if (status_ && reply.status != *status_)
        differences.append("the status is " + std::to_string(reply.status) + "; ");
    for (const auto& header : headers_) compare_header(reply, header, differences);
    if (!members_.empty()) {
        json::error_code ec;
        const auto body = json::parse(reply.body, ec);
        if (ec) differences.append("the body is no JSON; ");
        for (const auto& members : members_)
            if (!ec) compare(json::parse(members), &body, "", differences);
        if (!ec) compare_request_id(reply, differences);
    }
    if (explanation != nullptr) *explanation << differences;
    return differences.empty();
}

void ReplyMatcher::DescribeTo(std::ostream* out) const {
    *out << "a reply";
    if (status_) *out << " " << *status_;
    for (const auto& [name, value] : headers_) *out << ", " << name << ": " << value;
    for (const auto& members : members_) *out << ", saying " << members;
}

void ReplyMatcher::DescribeNegationTo(std::ostream* out) const {
    *out << "not ";
    DescribeTo(out);
}

ReplyMatcher problem(int status, std::string_view code) {
    return Is(status,
              R"({"code":"$","type":"urn:fencegate:problem:$","status":$,"retryable":$,)"
              R"("title":"<text>","detail":"<text>","request_id":"<text>"})",
              code, code, status, std::ranges::count(kRetryable, code) == 1)
        .with("Content-Type", "application/problem+json")
        .with("Cache-Control", "no-store");
}

}  // namespace fencegate::testing
