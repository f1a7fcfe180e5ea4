// The rules of the rooms, on a house of three.
#include "tests/tidy/rooms.hpp"

#include <gtest/gtest.h>

namespace fencegate::tidy {
namespace {

const std::vector<Room> kHouse{
    Room{"storage/rows", {}},
    Room{"storage/rules", {"storage/rows"}},
    Room{"storage", {"storage/rules"}},
};

struct Include {
    const char* name;
    const char* path;
    const char* line;
    bool is_allowed;
};

class RoomRule : public testing::TestWithParam<Include> {};

TEST_P(RoomRule, Decides) {
    const auto& [name, path, line, is_allowed] = GetParam();

    const auto findings = check_rooms({path, std::string("#pragma once\n") + line + "\n"}, kHouse);

    EXPECT_EQ(findings.empty(), is_allowed);
    if (!is_allowed) {
        EXPECT_EQ(findings.front().line, 2U);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Tidy, RoomRule,
    testing::Values(
        Include{"Allowed", "storage/rules/a.cpp", "#include \"storage/rows/b.hpp\"", true},
        Include{"SameRoom", "storage/rows/a.cpp", "#include \"storage/rows/b.hpp\"", true},
        Include{"Upwards", "storage/rows/a.cpp", "#include \"storage/rules/b.hpp\"", false},
        Include{"NotNamed", "storage/main.cpp", "#include \"storage/rows/b.hpp\"", false},
        Include{"TheProgram", "storage/main.cpp", "#include \"storage/rules/b.hpp\"", true},
        Include{"FolderOfNoRoom", "storage/rules/a.cpp", "#include \"storage/new/b.hpp\"", false},
        Include{"FloorBelow", "storage/rows/a.cpp", "#include \"lockmgr/b.hpp\"", true},
        Include{"FloorWithoutRooms", "proxy/a.cpp", "#include \"proxy/x/b.hpp\"", true},
        Include{"OnlyAComment", "storage/rows/a.cpp", "// #include \"storage/rules/b.hpp\"", true}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Rooms, TakeInEveryFileOfTheirFloor) {
    EXPECT_EQ(check_rooms({"storage/elsewhere/a.cpp", ""}, kHouse).size(), 1U);
    EXPECT_TRUE(check_rooms({"tests/storage/elsewhere/a.cpp", ""}, kHouse).empty());
}

TEST(Rooms, HaveNoArrowThatNobodyNeeds) {
    const std::set<Arrow> used{{"storage/rules", "storage/rows"}};

    const auto findings = check_unused_arrows(used, kHouse);

    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings.front().path, "storage");
}

TEST(Rooms, FindTheArrowsOfAFile) {
    const auto arrows = arrows_of(
        {"storage/rules/a.cpp", "#include \"storage/rows/b.hpp\"\n#include \"lockmgr/c.hpp\"\n"});

    EXPECT_EQ(arrows, (std::vector<Arrow>{{"storage/rules", "storage/rows"}}));
}

TEST(Rooms, AreDrawnWithWhatTheyUse) {
    const std::string_view rows = "| `storage/rows/` | rows | |\n";
    const std::string_view rules = "| `storage/rules/` | rules | rows |\n";

    EXPECT_TRUE(check_drawn(std::string(rows).append(rules), kHouse).empty());
    EXPECT_EQ(check_drawn(rows, kHouse).size(), 1U);
    EXPECT_EQ(check_drawn("| `storage/rows/` | rows | rules |\n", kHouse).size(), 2U);
}

TEST(Rooms, AreLinkedAsTheyAreUsed) {
    const SourceFile right{"storage/rules/CMakeLists.txt",
                           "fencegate_room(storage rules\n    USES rows\n)\n"};
    const SourceFile nothing{"storage/rules/CMakeLists.txt", "fencegate_room(storage rules)\n"};

    EXPECT_TRUE(check_links(kHouse[1], right).empty());
    EXPECT_EQ(check_links(kHouse[1], nothing).size(), 1U);
    EXPECT_EQ(check_links(kHouse[0], right).size(), 1U);
}

TEST(Rooms, HaveATableWithoutCircles) {
    EXPECT_TRUE(check_table(rooms()).empty());
    EXPECT_TRUE(check_table(kHouse).empty());

    const std::vector<Room> circle{Room{"storage/a", {"storage/b"}},
                                   Room{"storage/b", {"storage/a"}}};
    const std::vector<Room> itself{Room{"storage/a", {"storage/a"}}};
    const std::vector<Room> across{Room{"storage/a", {}}, Room{"proxy/b", {"storage/a"}}};
    EXPECT_EQ(check_table(circle).size(), 1U);
    EXPECT_EQ(check_table(itself).size(), 1U);
    EXPECT_EQ(check_table(across).size(), 1U);
}

}  // namespace
}  // namespace fencegate::tidy
