#pragma once
// DurableNames: what the folders of a disk hold when its power has gone. A name that was made,
// moved or removed is durable once its folder was synced, a folder once the one that holds its
// name was, and what is written beside SQLite once its file was.
//
// Owns: the names and contents as of the last sync, with a second link to every file, so that one
// that was moved or removed can be had again. Refuses to own: what SQLite writes into the files
// that it opens (ForgetfulDisk), and the place of each name in time: of a folder's unsynced changes
// a power cut keeps all or none, as a file system with a journal does. Thread rule: the
// ForgetfulDisk's mutex is held. Errors: std::runtime_error.

#include "tests/support/seeded_random.hpp"
#include "tests/support/temp_dir.hpp"

#include <compare>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace fencegate::testing {

// What a power cut leaves of the writes that were not synced.
enum class Remains : std::uint8_t {
    Nothing,
    Everything,   // as after kill -9
    APrefix,      // an ordered disk
    ASubset,      // a disk that writes as it likes
    ATornPrefix,  // the last one that made it is cut at a sector
    ATornSubset,  // every one may lack sectors
};
inline constexpr std::size_t kRemainsCount = 6;

struct FileId {
    ::dev_t device = 0;
    ::ino_t inode = 0;

    friend auto operator<=>(const FileId&, const FileId&) = default;
};

[[nodiscard]] std::optional<FileId> id_of(const std::filesystem::path& path);

class DurableNames {
public:
    // From now on a power cut takes back what was not synced in this folder and below. What was
    // synced before is known. `holds`: what lies there now is durable, whoever made it.
    enum class Now : std::uint8_t { IsDurable, IsDurableAsFarAsSynced };
    void watch(const std::filesystem::path& folder, Now now);
    [[nodiscard]] bool is_watching(const std::filesystem::path& path) const;
    [[nodiscard]] bool is_watching() const noexcept { return !roots_.empty(); }

    // A second name for a file, the same for the same file.
    [[nodiscard]] std::filesystem::path hold(const std::filesystem::path& file);

    // SQLite writes to it: from now on the content is its disk's. Returns what was durable of it.
    std::vector<char> govern(const FileId& file);
    [[nodiscard]] bool is_governed(const FileId& file) const { return governed_.contains(file); }

    // The file or folder behind the descriptor is durable as it is.
    void synced(int descriptor);
    void take_back(Remains remains, SeededRandom& random);

private:
    struct Entry {
        FileId id;
        bool is_folder = false;
    };
    using Names = std::map<std::string, Entry>;

    void note_folder(const std::filesystem::path& folder);
    void note_everything_in(const std::filesystem::path& folder);
    void take_back_in(const std::filesystem::path& folder, Remains remains, SeededRandom& random);
    void put_names_back(const std::filesystem::path& folder, const Names& durable);
    void put_content_back(const std::filesystem::path& file, const FileId& id);

    std::vector<std::filesystem::path> roots_;
    std::map<FileId, Names> names_;                // by folder
    std::map<FileId, std::vector<char>> content_;  // of files that SQLite does not write to
    std::set<FileId> governed_;
    std::map<FileId, std::filesystem::path> held_;
    std::map<::dev_t, std::unique_ptr<TempDir>> holds_;
};

}  // namespace fencegate::testing
