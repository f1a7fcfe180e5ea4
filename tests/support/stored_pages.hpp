#pragma once
// Pages and frames of a store as they lie on the disk: which one holds a row, which carry a seal,
// and a bit of one turned round, behind SQLite's back. Errors abort.

#include "storage/sqlite/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fencegate::testing {

[[nodiscard]] std::vector<std::uint32_t> pages_without_seal(const std::filesystem::path& file);

// The leaf of the table's tree that holds the row `where` finds, as the database file has it.
// REQUIRES: the log was copied, and the row's id or lock is written nowhere else in that table.
[[nodiscard]] std::uint32_t page_with_row(storage::sqlite::Connection& connection,
                                          const std::filesystem::path& file,
                                          const std::string& table, const std::string& where);

void flip_bit_at(const std::filesystem::path& file, std::size_t offset, unsigned bit = 0);
void flip_bit(const std::filesystem::path& file, std::uint32_t page, std::size_t offset,
              unsigned bit = 0);
void copy_page(const std::filesystem::path& file, std::uint32_t from, std::uint32_t to);

[[nodiscard]] std::size_t frames_of(const std::filesystem::path& log);
// Of the page within the frame; frames count from 0.
void flip_bit_of_frame(const std::filesystem::path& log, std::size_t frame, std::size_t offset);

}  // namespace fencegate::testing
