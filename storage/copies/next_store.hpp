#pragma once
// The store that a restore puts in place, made ready in a folder of its own beside the one that is
// there: copied, checked in full, migrated, with its epoch raised. Whatever can fail for want of
// room, or for what it is made of, fails here, and nothing was changed.
// Thread rule: any thread; the lock of the data folder is held.

#include "base/clock.hpp"
#include "base/result.hpp"
#include "storage/copies/restore.hpp"
#include "storage/copies/store_parts.hpp"

#include <cstdint>
#include <filesystem>
#include <utility>

namespace fencegate::storage {

// In the folder that it is for: on the same disk. Gone with this, unless its store is to be put in
// place by now: then it stays until that is done and told.
class Workshop {
public:
    // What a restore left that was interrupted before is removed.
    explicit Workshop(const std::filesystem::path& data_dir);
    ~Workshop();
    void keep() noexcept { is_kept_ = true; }
    Workshop(const Workshop&) = delete;
    Workshop& operator=(const Workshop&) = delete;

    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
    [[nodiscard]] std::filesystem::path file() const { return folder_ / "store.db"; }

private:
    const std::filesystem::path folder_;
    bool is_kept_ = false;
};

// What it is made of.
struct NextStore {
    std::filesystem::path file;
    Parts parts;
    std::int64_t above = 0;  // the epochs that may have been used
    bool reseals = false;    // RestoreOptions
};

// In the workshop, complete and durable. Above the marks of the data folder, so that whatever else
// lies there is refused once its mark is. `kept` and `lost` are for the caller to fill in.
// Fails with: StartFailure BadData, CannotCreate, CannotRead.
[[nodiscard]] Result<Restored> make_next_store(const Workshop& workshop, const NextStore& source,
                                               WallTime now);

}  // namespace fencegate::storage
