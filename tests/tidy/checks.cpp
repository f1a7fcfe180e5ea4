#include "tests/tidy/checks.hpp"

#include "tests/tidy/source_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace fencegate::tidy {
namespace {

constexpr auto kNone = std::string_view::npos;

constexpr std::array<std::string_view, 5> kLayers{"base", "lockmgr", "storage", "proxy", "cli"};

// The folders whose files may include anything.
bool is_outside_product(std::string_view path) {
    return path.starts_with("tests/") || path.starts_with("bench/");
}

std::optional<std::size_t> layer_of(std::string_view path) {
    const auto at = std::ranges::find(kLayers, path.substr(0, path.find('/')));
    if (at == kLayers.end() || path.find('/') == kNone) return std::nullopt;
    return static_cast<std::size_t>(at - kLayers.begin());
}

std::string text_of(std::initializer_list<std::string_view> parts) {
    std::string text;
    for (const auto part : parts) text.append(part);
    return text;
}

struct Include {
    std::size_t line;
    std::string_view name;
    bool is_own;  // "of this project", not <of a library>
};

std::vector<Include> includes_of(const SourceFile& file, const SourceText& apart) {
    std::vector<Include> found;
    constexpr std::string_view kInclude = "#include ";
    const auto code_lines = lines_of(apart.code);  // an include inside a literal is blank here
    const auto lines = lines_of(file.text);
    for (std::size_t at = 0; at < lines.size(); ++at) {
        if (!code_lines[at].starts_with(kInclude)) continue;
        const auto rest = lines[at].substr(kInclude.size());
        const auto end = rest.find_first_of("\">", 1);
        if (rest.empty() || end == kNone) continue;
        found.push_back({at + 1, rest.substr(1, end - 1), rest.front() == '"'});
    }
    return found;
}

// Why this project header may not be included from `layer`; empty if it may.
std::string refuse_own_header(std::size_t layer, std::string_view name) {
    if (is_outside_product(name)) return text_of({"product code includes ", name});
    const auto target = layer_of(name);
    if (!target || *target <= layer) return {};
    return text_of({kLayers[layer], " includes ", name, ", which is above it"});
}

// The operating system's headers, in the files that are the seam to it.
bool may_use_posix(std::string_view path) {
    return path == "base/clock.cpp" || path == "base/random.cpp" || path == "base/file.cpp" ||
           path == "base/log.cpp" || path == "base/notify_socket.cpp";
}

// The one cryptographic primitive that layers below the edge need.
bool may_use_openssl(std::string_view path) { return path == "base/digest.cpp"; }

std::string refuse_library_header(std::string_view path, std::size_t layer, std::string_view name) {
    constexpr std::size_t kLockmgr = 1;
    constexpr std::size_t kProxy = 3;
    constexpr std::array<std::string_view, 4> kEdgeOnly{"boost/asio", "boost/beast", "openssl/",
                                                        "prometheus/"};
    const auto is_prefix = [&](std::string_view prefix) { return name.starts_with(prefix); };
    if (may_use_openssl(path) && name.starts_with("openssl/")) return {};
    if (layer < kProxy && std::ranges::any_of(kEdgeOnly, is_prefix)) {
        return text_of({"only proxy and cli may include <", name, ">"});
    }
    if (name == "sqlite3.h" && !path.starts_with("storage/sqlite/")) {
        return "only storage/sqlite may include <sqlite3.h>";
    }
    if (is_prefix("libpq") && !path.starts_with("storage/postgres/")) {
        return "only storage/postgres may include <libpq-fe.h>";
    }
    if (is_prefix("curl/") && !path.starts_with("cli/client/")) {
        return text_of({"only cli/client may include <", name, ">"});
    }
    if (layer > kProxy && (is_prefix("boost/asio") || is_prefix("boost/beast"))) {
        return text_of({"only proxy may include <", name, ">"});
    }
    // Trees that know ranks come with libstdc++, as the rest of it does.
    const bool is_standard = name.find_first_of("./") == kNone || name.starts_with("ext/pb_ds/");
    if (layer <= kLockmgr && !is_standard && !may_use_posix(path)) {
        return text_of({kLayers[layer], " knows the standard library only, not <", name, ">"});
    }
    return {};
}

// The rooms whose rules are the same for every engine, so that none may show in them.
constexpr std::array<std::string_view, 8> kRoomsWithoutEngine{
    "storage/batch/", "storage/commands/", "storage/documents/", "storage/memory/",
    "storage/model/", "storage/money/",    "storage/unit/",      "storage/verify/"};

bool has_engine(std::string_view include) {
    return include == "sqlite3.h" || include.starts_with("libpq") ||
           include.starts_with("storage/sqlite/") || include.starts_with("storage/postgres/");
}

struct Ban {
    std::string_view token;
    std::string_view instead;
};

constexpr std::array kBans{
    Ban{"system_clock::now", "take WallTime as a parameter"},
    Ban{"steady_clock::now", "take BootTime as a parameter"},
    Ban{"high_resolution_clock", "take BootTime as a parameter"},
    Ban{"clock_gettime", "use Clock"},
    Ban{"gettimeofday", "use Clock"},
    Ban{"time(nullptr)", "use Clock"},
    Ban{"time(NULL)", "use Clock"},
    Ban{"time(0)", "use Clock"},
    Ban{"rand(", "use Random"},
    Ban{"random_device", "use Random"},
    Ban{"sleep_for", "wait for an event, with a deadline"},
    Ban{"sleep_until", "wait for an event, with a deadline"},
    Ban{"usleep(", "wait for an event, with a deadline"},
    Ban{"nanosleep", "wait for an event, with a deadline"},
    Ban{"getenv", "take it as configuration"},
};

bool is_seam(std::string_view path) {
    return path == "base/clock.cpp" || path == "base/random.cpp" || path == "base/log.cpp" ||
           path == "base/notify_socket.cpp" || path.starts_with("bench/") ||
           path.starts_with("tests/support/");
}

bool has_word(std::string_view text, std::string_view word) {
    return std::ranges::any_of(find_all(text, word), [&](std::size_t at) {
        const auto after = at + word.size();
        return after >= text.size() || std::isalnum(static_cast<unsigned char>(text[after])) == 0;
    });
}

// What a brace opens, judged by the code between it and the brace or semicolon before.
enum class Opens : unsigned char { Scope, Function, Other };

Opens classify(std::string_view before) {
    const bool has_call = before.find('(') != kNone;
    for (const std::string_view word :
         {"namespace", "class", "struct", "union", "enum", "extern"}) {
        if (!has_call && has_word(before, word)) return Opens::Scope;
    }
    return has_call ? Opens::Function : Opens::Other;
}

struct Brace {
    std::size_t at;
    Opens opens;
};

void add_function(Findings& findings, const SourceFile& file, std::size_t open, std::size_t close) {
    const auto first = line_of(file.text, open);
    const auto lines = line_of(file.text, close) - first + 1;
    if (lines <= kFunctionLinesMax) return;
    findings.push_back({file.path, first,
                        text_of({"function of ", std::to_string(lines), " lines; at most ",
                                 std::to_string(kFunctionLinesMax)})});
}

}  // namespace

Findings check_includes(const SourceFile& file) {
    Findings findings;
    const auto layer = layer_of(file.path);
    if (!layer) return findings;
    for (const auto& include : includes_of(file, take_apart(file.text))) {
        auto reason = include.is_own ? refuse_own_header(*layer, include.name)
                                     : refuse_library_header(file.path, *layer, include.name);
        if (!reason.empty()) findings.push_back({file.path, include.line, std::move(reason)});
    }
    return findings;
}

Findings check_banned_calls(const SourceFile& file) {
    Findings findings;
    if (is_seam(file.path)) return findings;
    const auto code = take_apart(file.text).code;
    for (const auto& ban : kBans) {
        for (const auto at : find_all(code, ban.token)) {
            findings.push_back({file.path, line_of(code, at),
                                text_of({ban.token, " outside its seam; ", ban.instead})});
        }
    }
    return findings;
}

Findings check_file_length(const SourceFile& file) {
    const auto lines = lines_of(file.text).size();
    if (lines <= kFileLinesMax) return {};
    return {{file.path, 0,
             text_of({std::to_string(lines), " lines; at most ", std::to_string(kFileLinesMax)})}};
}

Findings check_function_length(const SourceFile& file) {
    Findings findings;
    const auto code = take_apart(file.text).code;
    std::vector<Brace> open;
    std::size_t statement = 0;  // where the code before the next brace begins
    for (std::size_t at = 0; at < code.size(); ++at) {
        if (code[at] == '{') {
            const bool is_in_scope = open.empty() || open.back().opens == Opens::Scope;
            const auto before = std::string_view(code).substr(statement, at - statement);
            open.push_back({at, is_in_scope ? classify(before) : Opens::Other});
        } else if (code[at] == '}' && !open.empty()) {
            if (open.back().opens == Opens::Function) {
                add_function(findings, file, open.back().at, at);
            }
            open.pop_back();
        }
        if (code[at] == '{' || code[at] == '}' || code[at] == ';') statement = at + 1;
    }
    return findings;
}

Findings check_header_opening(const SourceFile& file) {
    if (!file.path.ends_with(".hpp") || file.text.starts_with("#pragma once\n// ")) return {};
    return {{file.path, 1, "a header opens with #pragma once and a comment saying what it owns"}};
}

Findings check_todo(const SourceFile& file) {
    Findings findings;
    const auto comments = take_apart(file.text).comments;
    for (const std::string_view word : {"TODO", "FIXME"}) {
        for (const auto at : find_all(comments, word)) {
            auto rest = std::string_view(comments).substr(at + word.size());
            constexpr std::string_view kIssue = "(#";
            const bool has_issue = rest.starts_with(kIssue) && rest.size() > kIssue.size() &&
                                   std::isdigit(static_cast<unsigned char>(rest[2])) != 0;
            if (has_issue) continue;
            findings.push_back({file.path, line_of(comments, at),
                                text_of({word, " without its issue, as in ", word, "(#12)"})});
        }
    }
    return findings;
}

Findings check_sql_building(const SourceFile& file) {
    Findings findings;
    const auto code = take_apart(file.text).code;
    for (const auto at : find_all(code, "sqlite3_prepare")) {
        // The call's arguments end at the statement's end; literals are blank, so '+' is code.
        const auto call = std::string_view(code).substr(at, code.find(';', at) - at);
        const bool is_built = call.find('+') != kNone || has_word(call, "format") ||
                              has_word(call, "append") || call.find(".str()") != kNone;
        if (!is_built) continue;
        findings.push_back({file.path, line_of(code, at), "SQL put together at run time; bind it"});
    }
    return findings;
}

Findings check_guards(const SourceFile& file) {
    Findings findings;
    if (!layer_of(file.path) || file.path.starts_with("lockmgr/guards.")) return findings;
    const auto comments = take_apart(file.text).comments;
    for (const std::string_view name : {"payments/", "elections/", "runs/"}) {
        for (const std::string_view quote : {"\"", "'"}) {
            for (const auto at : find_all(file.text, text_of({quote, name}))) {
                if (comments[at] == quote.front()) continue;
                findings.push_back({file.path, line_of(file.text, at),
                                    text_of({name, " is spelled in lockmgr/guards.hpp only"})});
            }
        }
    }
    return findings;
}

Findings check_engines(const SourceFile& file) {
    const auto is_in = [&](std::string_view room) { return file.path.starts_with(room); };
    if (std::ranges::none_of(kRoomsWithoutEngine, is_in)) return {};
    Findings findings;
    const auto apart = take_apart(file.text);
    for (const auto& include : includes_of(file, apart)) {
        if (!has_engine(include.name)) continue;
        findings.push_back({file.path, include.line,
                            text_of({include.name, " is of one engine; these rules are of all"})});
    }
    for (const std::string_view word : {"SELECT", "INSERT", "UPDATE", "DELETE", "PRAGMA"}) {
        for (const auto at : find_all(file.text, word)) {
            const bool is_in_literal = apart.code[at] == ' ' && apart.comments[at] == ' ';
            if (!is_in_literal) continue;
            findings.push_back({file.path, line_of(file.text, at),
                                "SQL is of one engine; these rules are of all"});
        }
    }
    return findings;
}

Findings check_tokens(const SourceFile& file) {
    const auto is_in = [&](std::string_view folder) { return file.path.starts_with(folder); };
    const bool knows_rows = is_in("storage/sqlite/") || is_in("storage/verify/");
    if (knows_rows || (!is_in("lockmgr/") && !is_in("storage/") && !is_in("proxy/"))) return {};
    Findings findings;
    const auto code = take_apart(file.text).code;
    for (const auto at : find_all(code, "int64_t")) {
        const auto rest = std::string_view(code).substr(at + std::string_view("int64_t").size());
        const auto name = rest.substr(std::min(rest.find_first_not_of("> "), rest.size()));
        const auto word = name.substr(0, name.find_first_of(",;:={)( "));
        if (!word.ends_with("token") && !word.ends_with("token_")) continue;
        findings.push_back({file.path, line_of(code, at), "a token is a lockmgr::FencingToken"});
    }
    return findings;
}

Findings check_logging(const SourceFile& file) {
    const auto layer = layer_of(file.path);
    const bool is_command_line = layer && kLayers[*layer] == "cli";
    // A lost invariant ends the process, wherever it is, with the one line it can still write.
    const bool is_seam = file.path == "base/log.cpp" || file.path == "base/check.hpp";
    if (!layer || is_command_line || is_seam) return {};
    Findings findings;
    const auto code = take_apart(file.text).code;
    for (const std::string_view word :
         {"stderr", "STDERR_FILENO", "std::cerr", "std::clog", "perror("}) {
        for (const auto at : find_all(code, word)) {
            findings.push_back({file.path, line_of(code, at),
                                "the server tells its operator through base/log.hpp"});
        }
    }
    return findings;
}

Findings check_codes_documented(const SourceFile& result_source, std::string_view api_document) {
    Findings findings;
    constexpr std::string_view kReturn = "return \"";
    std::size_t names = 0;
    for (const auto at : find_all(result_source.text, kReturn)) {
        const auto rest = std::string_view(result_source.text).substr(at + kReturn.size());
        const auto name = rest.substr(0, rest.find('"'));
        ++names;
        if (api_document.find(text_of({"`", name, "`"})) != kNone) continue;
        findings.push_back({result_source.path, line_of(result_source.text, at),
                            text_of({"`", name, "` is not in docs/api.md"})});
    }
    if (names == 0) findings.push_back({result_source.path, 0, "returns no error names at all"});
    return findings;
}

Findings check_file(const SourceFile& file) {
    Findings all;
    for (const auto check :
         {check_includes, check_banned_calls, check_file_length, check_function_length,
          check_header_opening, check_todo, check_sql_building, check_guards, check_engines,
          check_tokens, check_logging}) {
        std::ranges::move(check(file), std::back_inserter(all));
    }
    return all;
}

}  // namespace fencegate::tidy
