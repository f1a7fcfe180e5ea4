#pragma once
// The rooms of a floor, and which may use which. A table, proven against includes and CMake, so
// that the picture in docs/architecture.md is the tree and not a wish. Owns: the table and its
// checks. Refuses to own: the order of the floors (checks.hpp). Thread rule: pure functions over a
// constant. Errors: as the other checks. Invariant: an arrow points to an earlier row, so there is
// no circle.

#include "tests/tidy/checks.hpp"

#include <compare>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::tidy {

struct Room {
    std::string_view name;               // its folder, e.g. "storage/commands"
    std::vector<std::string_view> uses;  // rooms of the same floor
};

// From a room to another of its floor.
struct Arrow {
    std::string from;
    std::string to;

    auto operator<=>(const Arrow&) const = default;
};

// Lowest first, floor by floor. A floor of one room has no row.
[[nodiscard]] std::span<const Room> rooms();

// A table that is at odds with itself: an arrow to a later row, another floor, itself or nowhere.
[[nodiscard]] Findings check_table(std::span<const Room> table);

// Which other rooms of its floor a file includes.
[[nodiscard]] std::vector<Arrow> arrows_of(const SourceFile& file);

// A file of a floor with rooms lies in one of them and includes only what its room may use.
[[nodiscard]] Findings check_rooms(const SourceFile& file, std::span<const Room> table = rooms());

// What the table allows and nobody does.
[[nodiscard]] Findings check_unused_arrows(const std::set<Arrow>& used,
                                           std::span<const Room> table = rooms());

// The table of docs/architecture.md has a row for each room, and in it the rooms that it uses.
[[nodiscard]] Findings check_drawn(std::string_view architecture,
                                   std::span<const Room> table = rooms());

// The room's CMakeLists.txt: its USES are the room's.
[[nodiscard]] Findings check_links(const Room& room, const SourceFile& cmake_list);

}  // namespace fencegate::tidy
