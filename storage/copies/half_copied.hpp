#pragma once
// Whether a gateway ended while it copied its log into the store. Where the log is whole that is
// nothing: a start copies it again. Where a frame of it is damaged, the store has pages from behind
// the damage and lacks others: it is torn with what can be read of the log, and without.
// Thread rule: the folder's lock is held. Changes nothing.

#include "base/result.hpp"
#include "storage/sqlite/folder_survey.hpp"

#include <filesystem>

namespace fencegate::storage {

// Fails with: StartFailure BadData, naming what to run instead; CannotRead.
[[nodiscard]] Result<> refuse_if_half_copied(const sqlite::FolderSurvey& survey,
                                             const std::filesystem::path& folder);

}  // namespace fencegate::storage
