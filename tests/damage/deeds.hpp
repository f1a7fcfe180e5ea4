#pragma once
// What somebody does to a file of a data folder, and what a folder holds before and after.
// Thread rule: one thread. Errors: std::filesystem_error, where a file is not there.

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace fencegate::testing {

// Names, modes and bytes.
using Contents = std::map<std::string, std::string>;

[[nodiscard]] Contents contents_of(const std::filesystem::path& folder);
// Empty if there is none.
[[nodiscard]] std::string difference(const Contents& before, const Contents& after);

// `other`: the same file of another folder.
struct Deed {
    const char* name;
    std::function<void(const std::filesystem::path& file, const std::filesystem::path& other)> act;
};
[[nodiscard]] const std::vector<Deed>& deeds();

}  // namespace fencegate::testing
