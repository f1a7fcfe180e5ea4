// docs/invariants.md names the test that guards each promise: a test that is renamed or removed
// must not leave the promise behind.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace fencegate::tidy {
namespace {

std::string read(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::set<std::string> all_tests(const std::filesystem::path& folder) {
    static const std::regex kTest(R"(^TEST(?:_F|_P)?\((\w+), (\w+)\))");
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.path().extension() != ".cpp") continue;
        std::istringstream lines(read(entry.path()));
        std::smatch match;
        for (std::string line; std::getline(lines, line);) {
            if (std::regex_search(line, match, kTest))
                names.insert(match.str(1) + "." + match.str(2));
        }
    }
    return names;
}

TEST(Invariants, NameOnlyTestsThatExist) {
    const std::filesystem::path root(FENCEGATE_SOURCE_DIR);
    const auto tests = all_tests(root / "tests");
    const auto text = read(root / "docs/invariants.md");
    static const std::regex kName(R"(`([A-Z]\w+)\.([A-Z]\w+)`)");

    int named = 0;
    for (std::sregex_iterator at(text.begin(), text.end(), kName), end; at != end; ++at) {
        ++named;
        const auto name = at->str(1) + "." + at->str(2);
        EXPECT_TRUE(tests.contains(name)) << name;
    }
    EXPECT_GT(named, 20);
}

}  // namespace
}  // namespace fencegate::tidy
