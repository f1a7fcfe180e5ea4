#include "tests/tidy/planted_faults.hpp"

#include "tests/tidy/source_text.hpp"

#include <algorithm>

namespace fencegate::tidy {
namespace {

constexpr std::string_view kTitle = "Plants: ";
constexpr std::string_view kFile = "--- a/";

struct Hunk {
    std::size_t line = 0;  // in the patch
    std::string path;
    std::vector<std::string_view> old;  // as in the patch, with the mark in front
};

std::vector<Hunk> hunks_of(std::string_view patch) {
    std::vector<Hunk> hunks;
    std::string path;
    std::size_t number = 0;
    for (const auto line : lines_of(patch)) {
        ++number;
        if (line.starts_with(kFile)) {
            path = line.substr(kFile.size());
        } else if (line.starts_with("@@")) {
            hunks.push_back({number, path, {}});
        } else if (!hunks.empty() && !line.starts_with('+') && !line.empty()) {
            hunks.back().old.push_back(line);
        }
    }
    return hunks;
}

std::string text_of(const Hunk& hunk) {
    auto first = hunk.old.begin();
    auto end = hunk.old.end();
    const auto is_context = [](std::string_view line) { return line.starts_with(' '); };
    const auto is_taken_out = [](std::string_view line) { return line.starts_with('-'); };
    if (std::ranges::any_of(hunk.old, is_taken_out)) {
        while (is_context(*first)) ++first;
        while (is_context(*(end - 1))) --end;
    }
    std::string text;
    for (; first != end; ++first) text.append(first->substr(1)).append("\n");
    return text;
}

}  // namespace

Findings check_planted_fault(const SourceFile& patch,
                             const std::function<std::string(const std::string&)>& read) {
    Findings findings;
    if (!patch.text.starts_with(kTitle))
        findings.push_back({patch.path, 1, "the first line says what is planted: \"Plants: ...\""});
    const auto hunks = hunks_of(patch.text);
    if (hunks.empty()) findings.push_back({patch.path, 0, "changes nothing"});
    for (const auto& hunk : hunks) {
        if (read(hunk.path).find(text_of(hunk)) == std::string::npos)
            findings.push_back({patch.path, hunk.line, "has lost its place in " + hunk.path});
    }
    return findings;
}

}  // namespace fencegate::tidy
