#pragma once
// The note of a restore whose new store is ready: written before the first name is changed, gone
// once its outcome was told. Whoever finds one finishes the restore (D117): what is half renamed is
// neither the old store nor the new one, and the loss that was to be told is told.
// Thread rule: any thread; the lock of the data folder is held.

#include "base/result.hpp"
#include "storage/copies/restore.hpp"
#include "storage/sqlite/incarnation.hpp"

#include <filesystem>
#include <optional>

namespace fencegate::storage {

struct ReadyNote {
    Restored restored;
    sqlite::Mark mark;  // of the new store
};

// Durable. Fails with: StartFailure CannotCreate.
[[nodiscard]] Result<> write_ready_note(const std::filesystem::path& folder, const ReadyNote& note);

// nullopt: there is none. Fails with: StartFailure BadData, CannotRead.
[[nodiscard]] Result<std::optional<ReadyNote>> read_ready_note(const std::filesystem::path& folder);

}  // namespace fencegate::storage
