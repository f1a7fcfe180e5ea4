#pragma once
// Gives a store of an earlier version room for seals (page_seal.hpp): its rows are written into a
// new file, sealed page by page, which then takes the place of the old one. A crash leaves the one
// or the other. Needs as much room as the store takes, once.
// Thread rule: at start, before anybody else uses the connection. The folder's lock is held.

#include "base/result.hpp"
#include "storage/sqlite/connection.hpp"

#include <cstdint>
#include <filesystem>

namespace fencegate::storage::sqlite {

// Whether the pages of the database file carry seals. REQUIRES: the log is empty.
[[nodiscard]] Result<bool> has_sealed_pages(const std::filesystem::path& file);

// What an interrupted attempt left.
void remove_half_sealed(const std::filesystem::path& file);

// Writes the new file beside `file`, complete and durable, but does not put it in place yet.
// REQUIRES: `connection` is open on `file`, its log is empty, and no transaction is open.
// Fails with: StartFailure CannotCreate (no room, mostly), BadData. The store is then as it was.
[[nodiscard]] Result<> write_sealed(Connection& connection, const std::filesystem::path& file);

// REQUIRES: write_sealed(), and nobody has `file` open any more. Fails with: CannotCreate.
[[nodiscard]] Result<> put_sealed_in_place(const std::filesystem::path& file);

// Seals those pages of the file as they are that do not carry their seal: written by a program that
// knows of none, or damaged. Returns how many. REQUIRES: nobody has `file` open.
// Fails with: CannotRead, CannotCreate. Some are sealed then.
[[nodiscard]] Result<std::int64_t> seal_as_they_are(const std::filesystem::path& file);

}  // namespace fencegate::storage::sqlite
