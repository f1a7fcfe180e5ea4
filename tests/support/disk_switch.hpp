#pragma once
// What a test and the disk_shim of its gateway share: how the disk behaves, and who waits for it.
//
// The words lie in a file that both map: the shim by FENCEGATE_TEST_DISK. The file of the store is
// chosen by FENCEGATE_TEST_DISK_FILE, the end of its path.
// Thread rule: atomic words, the mode waited for by futex.

#include <atomic>
#include <cstdint>

namespace fencegate::testing {

enum class DiskMode : std::uint32_t {
    Works,
    Holds,        // writes and syncs of the chosen file wait until the mode is another one
    FailsSyncs,   // EIO; what was written stays in the page cache, as it does on Linux
    FailsWrites,  // half of it is written, then EIO
    FailsReads,   // EIO
};

struct DiskWords {
    std::atomic<std::uint32_t> mode;
    std::atomic<std::uint32_t> held;    // calls that ever waited
    std::atomic<std::uint32_t> failed;  // calls that were told EIO
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

}  // namespace fencegate::testing
