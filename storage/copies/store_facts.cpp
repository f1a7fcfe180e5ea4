#include "storage/copies/store_facts.hpp"

#include "storage/sqlite/connection.hpp"
#include "storage/sqlite/incarnation.hpp"

#include <sys/statvfs.h>

namespace fencegate::storage {

std::int64_t store_epoch(const std::filesystem::path& data_dir) {
    return sqlite::read_mark(data_dir).epoch;
}

RoomOfStore room_of_store(const std::filesystem::path& data_dir) {
    RoomOfStore room;
    std::error_code ec;
    const auto bytes = std::filesystem::file_size(data_dir / "store.db", ec);
    if (!ec) room.file_bytes = bytes;
    struct statvfs disk {};
    if (::statvfs(data_dir.c_str(), &disk) == 0) {
        room.free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
        room.disk_bytes = std::uint64_t{disk.f_blocks} * disk.f_frsize;
    }
    return room;
}

std::string_view sqlite_version() noexcept { return sqlite::library_version(); }

}  // namespace fencegate::storage
