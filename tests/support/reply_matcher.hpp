#pragma once
// What a test expects of a reply, said as the fact that a client would read:
//
//     EXPECT_THAT(reply, Is(201, R"({"status":"captured","amount":$})", amount)
//                            .with("Location", "/v1/payments/" + id));
//
// A reply may say more than is expected of it: objects match by subset, arrays by length and then
// element by element. Each `$` stands for the next value, as it is; quotes are the pattern's own.
// Instead of a value, in the body or a header:
//
//     "<any>"       there, whatever it is         "<absent>"     not there
//     "<text>"      a text that is not empty      "<time>"       a text that ends in Z
//     "<5..60>"     an integer from 5 to 60, each end of which may be left out
//     "<...part...>" a text that holds this part
//
// A failure shows all that differs, and the whole reply.
// Thread rule: values. Errors: std::invalid_argument for a pattern that is no JSON, or whose values
// are not as many as its `$`.

#include "tests/support/http_response.hpp"

#include <gmock/gmock-matchers.h>

#include <concepts>
#include <initializer_list>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fencegate::testing {

// One value of a pattern as text.
class Value {
public:
    // NOLINTBEGIN(google-explicit-constructor)
    template <std::integral Number>
    Value(Number number) : text_(std::to_string(number)) {}
    Value(bool flag) : text_(flag ? "true" : "false") {}
    template <std::convertible_to<std::string_view> Text>
    Value(const Text& text) : text_(std::string_view(text)) {}
    // NOLINTEND(google-explicit-constructor)

    [[nodiscard]] const std::string& text() const { return text_; }

private:
    std::string text_;
};

[[nodiscard]] std::string filled_in(std::string_view pattern, std::initializer_list<Value> values);

// The pattern with its values, for what is sent: filled(R"({"amount":$})", 100).
template <typename... Values>
[[nodiscard]] std::string filled(std::string_view pattern, const Values&... values) {
    return filled_in(pattern, {Value(values)...});
}

class ReplyMatcher {
public:
    // The name and the functions that gMock asks for.
    // NOLINTBEGIN(readability-identifier-naming)
    using is_gtest_matcher = void;
    bool MatchAndExplain(const Response& reply, std::ostream* explanation) const;
    void DescribeTo(std::ostream* out) const;
    void DescribeNegationTo(std::ostream* out) const;
    // NOLINTEND(readability-identifier-naming)

    ReplyMatcher(std::optional<int> status, std::string members);

    // The first header of that name too.
    [[nodiscard]] ReplyMatcher with(std::string_view header, std::string_view expected) const;
    // And these members of the body.
    [[nodiscard]] ReplyMatcher saying(std::string members) const;

private:
    std::optional<int> status_;
    std::vector<std::string> members_;
    Headers headers_;
};

// A problem document with everything the contract promises of every one, and this code.
[[nodiscard]] ReplyMatcher problem(int status, std::string_view code);

// NOLINTBEGIN(readability-identifier-naming): matchers are named as gMock names its own.
template <typename... Values>
[[nodiscard]] ReplyMatcher Is(int status, std::string_view members = {}, const Values&... values) {
    return {status, filled(members, values...)};
}
// Whatever its status: for what came as a line or as an event.
template <typename... Values>
[[nodiscard]] ReplyMatcher Says(std::string_view members, const Values&... values) {
    return {std::nullopt, filled(members, values...)};
}
template <typename... Values>
[[nodiscard]] ReplyMatcher Refused(int status, std::string_view code, std::string_view members = {},
                                   const Values&... values) {
    return problem(status, code).saying(filled(members, values...));
}
// NOLINTEND(readability-identifier-naming)

}  // namespace fencegate::testing
