#pragma once
// SourceText: a source file taken apart as far as the house rules need it: which characters are
// code, which are comment. Owns: C++ comments, string, raw string and character literals.
// Refuses to own: the preprocessor and the grammar. Thread rule: plain values. Errors: none.
// Invariant: code, comments and the text have the same length and the same line breaks.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::tidy {

struct SourceText {
    std::string code;      // comments and what is inside literals are blanks
    std::string comments;  // everything else is blanks
};

[[nodiscard]] SourceText take_apart(std::string_view text);

// The line of the character at `offset`, from 1.
[[nodiscard]] std::size_t line_of(std::string_view text, std::size_t offset);

// Without their line ends. A last line need not end in one.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

// Where `token` occurs and is not the tail of a longer identifier: "rand(" is not in "grand(".
[[nodiscard]] std::vector<std::size_t> find_all(std::string_view text, std::string_view token);

}  // namespace fencegate::tidy
