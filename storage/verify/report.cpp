// The report as text and JSON.
#include "storage/verify/verify.hpp"

#include <algorithm>
#include <charconv>

namespace fencegate::storage {
namespace {

// Names in a damaged store may hold anything: what leads a terminal, and what is no UTF-8.
std::string harmless(std::string text) {
    for (auto& letter : text) {
        if (letter < ' ' || letter > '~') letter = '?';
    }
    return text;
}

}  // namespace

std::string to_text(const JournalHead& head) {
    static constexpr char kDigits[] = "0123456789abcdef";
    auto text = std::to_string(head.id) + ":";
    for (const auto byte : head.seal) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

std::optional<JournalHead> parse_journal_head(std::string_view text) {
    JournalHead head;
    const auto* end = text.data() + text.size();
    const auto id = std::from_chars(text.data(), end, head.id);
    const auto digits = static_cast<std::size_t>(end - id.ptr);
    if (id.ec != std::errc{} || head.id < 0 || digits != 1 + 2 * head.seal.size() || *id.ptr != ':')
        return std::nullopt;
    const char* at = id.ptr + 1;
    for (auto& byte : head.seal) {
        const auto parsed = std::from_chars(at, at + 2, byte, 16);
        if (parsed.ec != std::errc{} || parsed.ptr != at + 2) return std::nullopt;
        at += 2;
    }
    return head;
}

void write_members(JsonWriter& json, const VerifyReport& report) {
    json.member_bool("sound", report.is_sound())
        .member("head", to_text(report.head))
        .key("checks")
        .begin_array();
    for (const auto& check : report.checks) {
        json.begin_object()
            .member("name", check.name)
            .member("claim", check.claim)
            .member("looked_at", check.looked_at)
            .member("faults", check.faults)
            .key("first")
            .begin_array();
        for (const auto& line : check.first) json.string(harmless(line));
        json.end_array().end_object();
    }
    json.end_array();
}

bool VerifyReport::is_sound() const noexcept {
    return std::ranges::all_of(checks, [](const auto& check) { return check.faults == 0; });
}

}  // namespace fencegate::storage
