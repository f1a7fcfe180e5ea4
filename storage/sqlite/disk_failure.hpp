#pragma once
// What is told where the disk fails before anything is served: not that the store is damaged, which
// nobody knows, and would have a sound one replaced by an older backup.
// Thread rule: pure. The error names no StartFailure: the program ends with 70, as it does while
// serving.

#include "base/result.hpp"

#include <filesystem>
#include <string>

namespace fencegate::storage::sqlite {

[[nodiscard]] inline std::unexpected<Error> disk_failed(const std::filesystem::path& file,
                                                        const std::string& why) {
    return fail(ErrorCode::Internal,
                "Cannot use the store " + file.string() + ": " + why +
                    ". That does not say that it is damaged: see to the disk and start again "
                    "before you put a backup in its place.");
}

}  // namespace fencegate::storage::sqlite
