// The house rules, applied to the tree this was built from.
#include "tests/tidy/checks.hpp"
#include "tests/tidy/rooms.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace fencegate::tidy {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = FENCEGATE_SOURCE_DIR;

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<SourceFile> every_source() {
    std::vector<SourceFile> files;
    for (const char* folder : {"base", "lockmgr", "storage", "proxy", "cli", "bench", "tests"}) {
        if (!fs::exists(kRoot / folder)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
            const auto extension = entry.path().extension();
            if (!entry.is_regular_file() || (extension != ".hpp" && extension != ".cpp")) continue;
            files.push_back({entry.path().lexically_relative(kRoot).string(), read(entry.path())});
        }
    }
    std::ranges::sort(files, {}, &SourceFile::path);
    return files;
}

// Not an error yet: printed so that it is split before it becomes one.
void name_if_growing(const SourceFile& file) {
    const auto lines = static_cast<std::size_t>(std::ranges::count(file.text, '\n'));
    if (lines <= kFileLinesWanted) return;
    std::cout << "over " << kFileLinesWanted << " lines: " << file.path << " (" << lines << ")\n";
}

void expect_none(const Findings& findings) {
    for (const auto& finding : findings) {
        ADD_FAILURE() << finding.path << ":" << finding.line << ": " << finding.message;
    }
}

TEST(Tree, IsTheOneWeThinkItIs) {
    const auto files = every_source();

    for (const char* path :
         {"base/result.cpp", "lockmgr/fencing_token.hpp", "storage/money/money.cpp",
          "proxy/telemetry/metrics.cpp", "tests/tidy/checks.cpp"}) {
        EXPECT_EQ(std::ranges::count(files, path, &SourceFile::path), 1) << path;
    }
}

TEST(Tree, FollowsTheHouseRules) {
    for (const auto& file : every_source()) {
        expect_none(check_file(file));
        name_if_growing(file);
    }
}

// Includes and CMake both say which room uses which; the table says which may.
TEST(Tree, KeepsToItsRooms) {
    std::set<Arrow> used;
    for (const auto& file : every_source()) {
        expect_none(check_rooms(file));
        for (const auto& arrow : arrows_of(file)) used.insert(arrow);
    }

    expect_none(check_unused_arrows(used));
}

TEST(Tree, DrawsItsRooms) { expect_none(check_drawn(read(kRoot / "docs/architecture.md"))); }

TEST(Tree, LinksARoomToWhatItUses) {
    for (const auto& room : rooms()) {
        if (room.name.find('/') == std::string_view::npos) continue;  // a floor: the program
        const auto path = std::string(room.name) + "/CMakeLists.txt";
        expect_none(check_links(room, {path, read(kRoot / path)}));
    }
}

TEST(Tree, DocumentsEveryErrorName) {
    const SourceFile source{"base/result.cpp", read(kRoot / "base/result.cpp")};
    ASSERT_TRUE(fs::exists(kRoot / "docs/api.md"));

    expect_none(check_codes_documented(source, read(kRoot / "docs/api.md")));
}

}  // namespace
}  // namespace fencegate::tidy
