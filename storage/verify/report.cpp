// The report as text and JSON.
#include "base/hex.hpp"
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
    return std::to_string(head.id) + ":" + to_hex(head.seal);
}

std::optional<JournalHead> parse_journal_head(std::string_view text) {
    JournalHead head;
    const auto* end = text.data() + text.size();
    const auto id = std::from_chars(text.data(), end, head.id);
    const auto digits = static_cast<std::size_t>(end - id.ptr);
    if (id.ec != std::errc{} || head.id < 0 || digits != 1 + 2 * head.seal.size() || *id.ptr != ':')
        return std::nullopt;
    auto seal = text.substr(text.size() - 2 * head.seal.size());
    for (auto& byte : head.seal) {
        const auto parsed = hex_byte(seal.substr(0, 2));
        if (!parsed) return std::nullopt;
        byte = *parsed;
        seal.remove_prefix(2);
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
