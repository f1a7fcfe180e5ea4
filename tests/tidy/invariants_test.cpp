// docs/invariants.md names the test that guards each promise: a test that is renamed or removed
// must not leave the promise behind.
#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::tidy {
namespace {

std::string read(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

// By hand: <regex> does not compile without warnings under GCC 12's sanitizers (GCC PR 105562).
std::string_view word(std::string_view text) {
    std::size_t size = 0;
    while (size < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[size])) != 0 || text[size] == '_'))
        ++size;
    return text.substr(0, size);
}

// "Suite.Name" of `TEST(Suite, Name)` and its sisters; empty if the line opens no test.
std::string test_of(std::string_view line) {
    for (const std::string_view macro : {"TEST(", "TEST_F(", "TEST_P("}) {
        if (!line.starts_with(macro)) continue;
        const auto suite = word(line.substr(macro.size()));
        const auto rest = line.substr(macro.size() + suite.size());
        if (!rest.starts_with(", ")) return {};
        return std::string(suite) + "." + std::string(word(rest.substr(2)));
    }
    return {};
}

std::set<std::string> all_tests(const std::filesystem::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.path().extension() != ".cpp") continue;
        std::istringstream lines(read(entry.path()));
        for (std::string line; std::getline(lines, line);) names.insert(test_of(line));
    }
    names.erase("");
    return names;
}

// What stands between backquotes and looks like Suite.Name.
std::vector<std::string> named_tests(std::string_view text) {
    std::vector<std::string> names;
    for (auto at = text.find('`'); at != std::string_view::npos; at = text.find('`', at + 1)) {
        const auto suite = word(text.substr(at + 1));
        const auto rest = text.substr(at + 1 + suite.size());
        if (suite.empty() || std::isupper(static_cast<unsigned char>(suite.front())) == 0) continue;
        if (!rest.starts_with('.')) continue;
        const auto name = word(rest.substr(1));
        if (rest.substr(1 + name.size()).starts_with('`'))
            names.push_back(std::string(suite) + "." + std::string(name));
    }
    return names;
}

TEST(Invariants, NameOnlyTestsThatExist) {
    const std::filesystem::path root(FENCEGATE_SOURCE_DIR);
    const auto tests = all_tests(root / "tests");

    const auto named = named_tests(read(root / "docs/invariants.md"));

    EXPECT_GT(named.size(), 20U);
    for (const auto& name : named) EXPECT_TRUE(tests.contains(name)) << name;
}

}  // namespace
}  // namespace fencegate::tidy
