#pragma once
// What an operator is told of a store that is open: its epoch, the room it has, and by which
// SQLite. Thread rule: any thread. Nothing here waits for the disk of a store that hangs: names,
// sizes and free blocks are in the kernel's memory. Errors: none; what cannot be read is 0.

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace fencegate::storage {

// Of the folder's store, from its marks. It rises with a restore, and with nothing else for as long
// as a machine lasts.
[[nodiscard]] std::int64_t store_epoch(const std::filesystem::path& data_dir);

struct RoomOfStore {
    std::uint64_t file_bytes = 0;  // store.db, without its log
    std::uint64_t free_bytes = 0;  // on its disk, for who is not root
    std::uint64_t disk_bytes = 0;
};
[[nodiscard]] RoomOfStore room_of_store(const std::filesystem::path& data_dir);

// Of the library that is loaded.
[[nodiscard]] std::string_view sqlite_version() noexcept;

}  // namespace fencegate::storage
