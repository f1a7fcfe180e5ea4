#include "storage/sqlite/store_names.hpp"

#include <sys/stat.h>

namespace fencegate::storage::sqlite {

StoreNames::Name::Name(int folder, const char* name) : name_(name) {
    struct stat found {};
    if (::fstatat(folder, name_, &found, 0) != 0) return;
    device_ = found.st_dev;
    number_ = found.st_ino;
}

bool StoreNames::Name::is_kept(int folder) const {
    struct stat found {};
    return ::fstatat(folder, name_, &found, 0) == 0 && found.st_dev == device_ &&
           found.st_ino == number_;
}

StoreNames::StoreNames(int folder)
    : folder_(folder), store_(folder, "store.db"), log_(folder, "store.db-wal") {}

}  // namespace fencegate::storage::sqlite
