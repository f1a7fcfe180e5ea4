#pragma once
// The VFS through which every store is opened: between SQLite and whatever VFS is the default when
// a file is opened. It seals each page of a database as it is written (page_seal.hpp) and compares
// the seal as it is read; of the log it remembers a sum of each page that was written, or that a
// start has read (and SQLite compared), and compares that whenever the page is read again.
// A page that differs is never handed to SQLite: the read fails with SQLITE_IOERR_DATA.
//
// A database is sealed if it was empty when it was opened (Connection::open tells SQLite to leave
// room for seals) or if its pages say so. One without seals passes as it is, until it is written
// anew with room for them (conversion.hpp).
// It also locks the database, in a way that outlives every other look at the file (file_locks.hpp).
// Refuses to own: the frames' own checksums, which SQLite compares when a start reads the log, and
// rollback journals and temporary files, which live no longer than the process.
// Thread rule: any thread; a file belongs to the thread of its connection, as with SQLite.

#include <cstdint>
#include <optional>
#include <string>

namespace fencegate::storage::sqlite {

// Registered with SQLite at the first call, never as the default.
[[nodiscard]] const char* sealing_vfs();

// The page that the last read of this thread found damaged, told in a sentence, and forgotten.
[[nodiscard]] std::optional<std::string> take_damage();

}  // namespace fencegate::storage::sqlite
