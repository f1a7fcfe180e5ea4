#pragma once
// Tokens as tests write them: plain numbers. The one seam between those and the product's types.
// Thread rule: pure functions.

#include "lockmgr/fence_rule.hpp"
#include "storage/model/command.hpp"

#include <cstdint>
#include <optional>

namespace fencegate::testing {

// 0: there is none.
[[nodiscard]] inline std::int64_t number_of(const std::optional<lockmgr::FencingToken>& token) {
    return token ? token->value() : 0;
}
[[nodiscard]] inline std::int64_t number_of(const lockmgr::PresentedToken& token) {
    return token ? token->value() : 0;
}

// What a helper of tests takes: a number, or what an answer granted. Converts from both, so that a
// test reads as what it claims.
struct Token {
    // NOLINTBEGIN(google-explicit-constructor)
    Token(std::int64_t token) : number(token) {}
    Token(const std::optional<lockmgr::FencingToken>& token) : number(number_of(token)) {}
    // NOLINTEND(google-explicit-constructor)

    std::int64_t number;
};

// As the edge reads it: what no token can be is malformed.
[[nodiscard]] inline lockmgr::PresentedToken presented(Token token) {
    const auto valid = lockmgr::FencingToken::from_number(token.number);
    if (!valid) return std::unexpected(lockmgr::TokenFault::Malformed);
    return *valid;
}

}  // namespace fencegate::testing
