#pragma once
// The locks of a database file: SQLite's own protocol (https://sqlite.org/lockingv3.html) on the
// bytes that every SQLite locks, so that its shell and its bindings keep out, but as locks of an
// open file description (F_OFD_SETLK in fcntl(2)).
// SQLite takes locks of the process. Those are gone as soon as anything in the process closes any
// descriptor of the file, be it the second look at a header: another program then recovers the log
// of a store that is being served, and removes it. These are gone when this is.
// Thread rule: belongs to the file of one connection. Errors: SQLite's codes.

#include "base/file.hpp"

#include <filesystem>

namespace fencegate::storage::sqlite {

class FileLocks {
public:
    // REQUIRES: called once, before anything is locked. Fails with: SQLITE_CANTOPEN.
    [[nodiscard]] int open(const char* name, bool is_only_read);
    // To a higher SQLITE_LOCK_ level. Fails with: SQLITE_BUSY, somebody else is in the way.
    [[nodiscard]] int raise(int level);
    // To SQLITE_LOCK_SHARED or SQLITE_LOCK_NONE.
    [[nodiscard]] int lower(int level);
    // Whether somebody is about to write.
    [[nodiscard]] int is_reserved(bool& out) const;

private:
    [[nodiscard]] int share();
    [[nodiscard]] int exclude();

    Descriptor file_{-1};
    int level_ = 0;  // SQLITE_LOCK_NONE
};

// Whether somebody has the database open and locked, in this process or another; false where there
// is no such file, or it cannot be opened. Takes no lock and changes nothing.
[[nodiscard]] bool is_locked(const std::filesystem::path& database);

}  // namespace fencegate::storage::sqlite
