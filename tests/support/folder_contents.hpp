#pragma once
// What a folder holds, to find out whether a command that was refused left it as it was.
// Thread rule: plain values.

#include "tests/support/child_process.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <sys/stat.h>

namespace fencegate::testing {

// Name, mode and content of everything below it.
using FolderContents = std::map<std::string, std::string>;

inline FolderContents contents_of(const std::filesystem::path& folder) {
    namespace fs = std::filesystem;
    FolderContents all;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        struct stat status {};
        ::lstat(entry.path().c_str(), &status);
        auto& seen = all[fs::relative(entry.path(), folder).string()];
        seen = std::to_string(status.st_mode) + " ";
        if (entry.is_symlink()) {
            seen += fs::read_symlink(entry.path()).string();
        } else if (entry.is_regular_file()) {
            seen += read_file(entry.path());
        }
    }
    return all;
}

inline void expect_same(const std::filesystem::path& folder, const FolderContents& before) {
    const auto after = contents_of(folder);
    for (const auto& [name, seen] : before) {
        ASSERT_TRUE(after.contains(name)) << name << " is gone";
        EXPECT_TRUE(after.at(name) == seen) << name << " was changed";
    }
    for (const auto& [name, seen] : after) EXPECT_TRUE(before.contains(name)) << name << " is new";
}

}  // namespace fencegate::testing
