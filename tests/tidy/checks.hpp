#pragma once
// The house rules a compiler does not know, as pure functions from sources to findings.
// Owns: the rules. Refuses to own: reading the tree (tidy_test.cpp does), whitespace
// (clang-format) and anything that needs a parser (clang-tidy).
// Thread rule: pure functions. Errors: a broken rule is a Finding; no findings, no complaint.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::tidy {

inline constexpr std::size_t kFileLinesMax = 400;
inline constexpr std::size_t kFileLinesWanted = 300;
inline constexpr std::size_t kFunctionLinesMax = 70;

struct SourceFile {
    std::string path;  // from the repository's root, e.g. "lockmgr/lease.hpp"
    std::string text;
};

struct Finding {
    std::string path;
    std::size_t line = 0;  // from 1; 0 means the file as a whole
    std::string message;
};

using Findings = std::vector<Finding>;

// cli -> proxy -> storage -> lockmgr -> base, and who may include which library.
[[nodiscard]] Findings check_includes(const SourceFile& file);

// Clocks, sleeps, randomness and the environment only at their seams.
[[nodiscard]] Findings check_banned_calls(const SourceFile& file);

[[nodiscard]] Findings check_file_length(const SourceFile& file);

// Counts braces: good enough for code that clang-format has laid out.
[[nodiscard]] Findings check_function_length(const SourceFile& file);

// Headers open with #pragma once and a comment that says what they own.
[[nodiscard]] Findings check_header_opening(const SourceFile& file);

// A to-do in a comment names its issue, as in "TODO(#12): ...".
[[nodiscard]] Findings check_todo(const SourceFile& file);

// SQL is a literal with placeholders, never put together at run time.
[[nodiscard]] Findings check_sql_building(const SourceFile& file);

// Which lock guards which row is said in lockmgr/guards.hpp, and spelled nowhere else.
[[nodiscard]] Findings check_guards(const SourceFile& file);

// The rules of `verify` are the same for every engine: no header of one, and no SQL.
[[nodiscard]] Findings check_engines(const SourceFile& file);

// A token is a FencingToken wherever it is not a column, a row under suspicion, or text.
[[nodiscard]] Findings check_tokens(const SourceFile& file);

// Below cli/, stderr is written by base/log.hpp only.
[[nodiscard]] Findings check_logging(const SourceFile& file);

// Every wire name that `result_source` (base/result.cpp) returns stands in `api_document` in
// backquotes. A source without names is a finding too: then this check has lost its object.
[[nodiscard]] Findings check_codes_documented(const SourceFile& result_source,
                                              std::string_view api_document);

// All of the above that look at one file alone.
[[nodiscard]] Findings check_file(const SourceFile& file);

}  // namespace fencegate::tidy
