#pragma once
// Looking into answers without a JSON parser: the documents are written by one writer, so a part of
// the text is a claim about a member. Thread rule: pure functions.

#include "storage/model/command.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace fencegate::testing {

[[nodiscard]] inline bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

// What a refusal says under this name, a number as text; nothing if it does not say it.
[[nodiscard]] inline std::optional<std::string> member_of(const storage::Answer& refusal,
                                                          std::string_view name) {
    if (!refusal.error) return std::nullopt;
    for (const auto& member : refusal.error->members) {
        if (member.name != name) continue;
        if (const auto* text = std::get_if<std::string>(&member.value)) return *text;
        return std::to_string(std::get<std::int64_t>(member.value));
    }
    return std::nullopt;
}

}  // namespace fencegate::testing
