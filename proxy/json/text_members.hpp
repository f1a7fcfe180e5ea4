#pragma once
// Members of a body that several routes take, with their bounds. Thread rule: pure functions.

#include "proxy/json/json_body.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace fencegate::proxy {

// Empty if absent. Fails with: InvalidArgument.
[[nodiscard]] inline Result<std::string> read_text(const JsonBody& body, std::string_view name,
                                                   std::size_t bytes_max) {
    auto text = body.text(name);
    if (!text) return std::unexpected(text.error());
    if (*text && (*text)->size() > bytes_max)
        return fail(ErrorCode::InvalidArgument, std::string(name) + " must have at most " +
                                                    std::to_string(bytes_max) + " bytes.");
    return text->value_or("");
}

// A nested object as compact JSON, empty if absent. Fails with: InvalidArgument.
[[nodiscard]] inline Result<std::string> read_object(const JsonBody& body, std::string_view name,
                                                     std::size_t bytes_max) {
    auto object = body.object(name);
    if (!object) return std::unexpected(object.error());
    if (*object && (*object)->size() > bytes_max)
        return fail(ErrorCode::InvalidArgument, std::string(name) + " must have at most " +
                                                    std::to_string(bytes_max) + " bytes as JSON.");
    return object->value_or("");
}

}  // namespace fencegate::proxy
