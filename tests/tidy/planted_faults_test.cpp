// A planted fault keeps its place in the sources, or somebody is told.
#include "tests/tidy/planted_faults.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace fencegate::tidy {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = FENCEGATE_SOURCE_DIR;

std::string read(const std::string& path) {
    std::ifstream file(kRoot / path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::size_t count_findings(std::string_view source, std::string_view hunk) {
    const SourceFile patch{"01_a.patch",
                           "Plants: a\n--- a/a.cpp\n+++ b/a.cpp\n" + std::string(hunk)};
    return check_planted_fault(patch, [&](const std::string&) { return std::string(source); })
        .size();
}

TEST(PlantedFault, MayHaveOtherLinesAroundIt) {
    EXPECT_EQ(count_findings("new\nb\n", "@@ -1,2 +1 @@\n a\n-b\n"), 0U);
}

TEST(PlantedFault, MustFindWhatItTakesOut) {
    EXPECT_EQ(count_findings("a\nc\n", "@@ -1,2 +1 @@\n a\n-b\n"), 1U);
}

TEST(PlantedFault, MustFindWhereItAddsSomething) {
    EXPECT_EQ(count_findings("a\nb\n", "@@ -1,2 +1,3 @@\n a\n+x\n b\n"), 0U);
    EXPECT_EQ(count_findings("a\nc\n", "@@ -1,2 +1,3 @@\n a\n+x\n b\n"), 1U);
}

TEST(PlantedFault, ChangesSomethingAndSaysWhat) {
    EXPECT_EQ(check_planted_fault({"01_a.patch", ""}, read).size(), 2U);
}

TEST(Tree, KeepsThePlaceOfEveryPlantedFault) {
    std::size_t faults = 0;
    for (const auto& entry : fs::directory_iterator(kRoot / "tests/simulation/faults")) {
        const auto path = entry.path().lexically_relative(kRoot).string();
        for (const auto& finding : check_planted_fault({path, read(path)}, read))
            ADD_FAILURE() << finding.path << ":" << finding.line << ": " << finding.message;
        ++faults;
    }
    EXPECT_GT(faults, 30U);
}

}  // namespace
}  // namespace fencegate::tidy
