#pragma once
// The tail note: how far the log of a store is known to have reached the disk. A log ends where it
// stops checking, so nothing in it tells a log that was cut, emptied or damaged at its end from the
// torn end of a power cut. The note does: it is written after a commit was synced and before
// anybody is answered, beside the store as store.db-tail.
//
// 1. It proves only that something *was* durable. It is not synced itself, so after a power cut it
//    may be an old one, never one that promises too much; where an old one could mislead, before
//    the log is emptied, it is synced. It is made durable, name and all, before a store of this
//    version is remembered; so one that is missing or garbled later was lost (folder_survey.hpp).
// 2. Its 64 bytes are written at once and carry a checksum.
// Thread rule: belongs to the thread that writes the store.
// Errors: a note that cannot be written is removed; that and no note fails.

#include "base/result.hpp"
#include "storage/sqlite/log_file.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>

namespace fencegate::storage::sqlite {

struct TailNote {
    enum class State : std::uint8_t {
        Opening,  // the store is being opened: its log is a new one or none
        Running,
        Closed,  // everything is in the store; a log is an old one or none
    };
    State state = State::Opening;
    bool is_copied = false;  // all of the log was in the store and synced
    LogSalts salts{};        // of the log
    std::uint32_t sequence = 0;
    std::int64_t frames = 0;  // that were durable, and the checksum of the last
    LogChecksum checksum{};
    std::int64_t commits = 0;  // in these frames
    // The generation that the store had without the log when that began: all before was copied.
    // A store.db behind it is an older one, under a log that is not its own. 0: not known.
    std::int64_t base = 0;

    friend bool operator==(const TailNote&, const TailNote&) = default;
};

[[nodiscard]] std::filesystem::path tail_note_of(const std::filesystem::path& store_file);
[[nodiscard]] std::filesystem::path log_of(const std::filesystem::path& store_file);

[[nodiscard]] std::optional<TailNote> read_tail_note(const std::filesystem::path& store_file);

class TailKeeper {
public:
    // Goes on from the note that is there. Makes none.
    explicit TailKeeper(const std::filesystem::path& store_file);
    ~TailKeeper();
    TailKeeper(const TailKeeper&) = delete;
    TailKeeper& operator=(const TailKeeper&) = delete;

    // Durable: whatever the log becomes now is in order. REQUIRES: all of it is in the store.
    // Fails with: StartFailure CannotCreate, or none (the disk fails). The note is then as it was
    // or says nothing.
    [[nodiscard]] Result<> opening();
    // The log has been synced with that many frames. `base`: the generation as of the commit
    // before; if the log has begun with this one, all of that is in the store.
    void committed(std::int64_t frames, std::int64_t base);
    // All of the log is in the store, synced.
    void copied();
    // The log is empty and nothing follows.
    void closed();
    // What was noted is durable.
    void sync();

private:
    [[nodiscard]] bool read_log_header(std::int64_t base);
    void write();

    const std::filesystem::path store_file_;
    const std::filesystem::path file_;
    const std::filesystem::path log_file_;
    int descriptor_ = -1;
    int log_ = -1;
    TailNote note_{};
};

}  // namespace fencegate::storage::sqlite
