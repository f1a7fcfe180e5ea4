#include "tests/support/http_response.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <ostream>
#include <stdexcept>

namespace fencegate::testing {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_name(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

[[noreturn]] void fail(const Response& response, std::string_view member, const char* what) {
    throw std::runtime_error("answer " + std::to_string(response.status) + ": member \"" +
                             std::string(member) + "\" " + what + " in: " + response.body);
}

// The document and the value in it; `found` is null when absent. A copy a call is fine in a test.
struct Lookup {
    boost::json::value document;
    const boost::json::value* found = nullptr;
};

void look_up(Lookup& lookup, const Response& response, std::string_view member) {
    boost::json::error_code ec;
    lookup.document = boost::json::parse(response.body, ec);
    if (ec) return;
    if (member.starts_with('/')) {
        lookup.found = lookup.document.find_pointer(member, ec);
    } else if (const auto* object = lookup.document.if_object()) {
        lookup.found = object->if_contains(member);
    }
}

const boost::json::value& require(Lookup& lookup, const Response& response,
                                  std::string_view member) {
    look_up(lookup, response, member);
    if (lookup.found == nullptr) fail(response, member, "is absent");
    return *lookup.found;
}

}  // namespace

std::string Response::header(std::string_view name) const {
    const auto found = std::ranges::find_if(
        headers, [&](const auto& entry) { return same_name(entry.first, name); });
    return found == headers.end() ? std::string() : found->second;
}

std::size_t Response::header_count(std::string_view name) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        headers, [&](const auto& entry) { return same_name(entry.first, name); }));
}

bool Response::has(std::string_view member) const {
    Lookup lookup;
    look_up(lookup, *this, member);
    return lookup.found != nullptr;
}

std::string Response::json_text(std::string_view member) const {
    Lookup lookup;
    const auto* text = require(lookup, *this, member).if_string();
    if (text == nullptr) fail(*this, member, "is not a string");
    return std::string(text->data(), text->size());
}

std::int64_t Response::json_int(std::string_view member) const {
    Lookup lookup;
    const auto* number = require(lookup, *this, member).if_int64();
    if (number == nullptr) fail(*this, member, "is not a 64-bit integer");
    return *number;
}

bool Response::json_bool(std::string_view member) const {
    Lookup lookup;
    const auto* flag = require(lookup, *this, member).if_bool();
    if (flag == nullptr) fail(*this, member, "is not a boolean");
    return *flag;
}

std::size_t Response::json_size(std::string_view member) const {
    Lookup lookup;
    const auto& value = require(lookup, *this, member);
    if (const auto* array = value.if_array()) return array->size();
    if (const auto* object = value.if_object()) return object->size();
    fail(*this, member, "is neither an array nor an object");
}

void PrintTo(const Response& response, std::ostream* out) {
    *out << response.status << "\n";
    for (const auto& [name, value] : response.headers) *out << name << ": " << value << "\n";
    *out << "\n" << response.body << "\n";
}

Response parse_head(std::string_view head) {
    const auto malformed = [&] {
        return std::runtime_error("malformed answer head: " + std::string(head.substr(0, 200)));
    };
    if (head.size() < 12 || !head.starts_with("HTTP/1.") || head[8] != ' ') throw malformed();
    Response response;
    const auto code = std::from_chars(head.data() + 9, head.data() + 12, response.status);
    if (code.ec != std::errc{} || code.ptr != head.data() + 12) throw malformed();

    auto line_end = head.find("\r\n");
    while (line_end != std::string_view::npos) {
        head.remove_prefix(line_end + 2);
        line_end = head.find("\r\n");
        const auto line = head.substr(0, line_end);
        if (line.empty()) break;
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) throw malformed();
        response.headers.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
    }
    return response;
}

}  // namespace fencegate::testing
