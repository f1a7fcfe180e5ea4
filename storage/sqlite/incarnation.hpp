#pragma once
// Incarnation: whether this is the store that its folder had, as it was left. A store that was
// copied, or put back from a backup, does not know which tokens were issued and which payments were
// made since; if it served, a paused worker's token could be good once more.
//
// Two things must agree at a start:
//   generation  a number in the store that rises while it is written to, and the *name* of an empty
//               file in store.marks/ that follows it. A store behind the highest mark was put back.
//               A name, because whoever copies a backup over the folder adds names and takes none
//               away: the higher mark survives that. Moved after the commit, so that a crash, a
//               torn write or a full disk leaves the store ahead of its mark, which is no fault.
//   birth       when the file store.db was made, written in the store: a copy has another birth.
//               The inode would say the same, but a shrunk file system renumbers it. Where the file
//               system knows no births, only a folder that never had a store shows a copy.
// Not noticed: a file system or a machine that is rolled back or cloned as a whole. Whoever does
// that runs `fencegate restore` afterwards (docs/operations.md).
// Thread rule: belongs to the thread that owns the connection. The folder's lock is held.

#include "base/clock.hpp"
#include "base/result.hpp"
#include "storage/sqlite/connection.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace fencegate::storage::sqlite {

// How far a store has come, as its folder remembers. Each rises and never falls.
struct Mark {
    std::int64_t epoch = 0;
    std::int64_t generation = 0;  // 0: there is none
};

// When the file was made, in ns since 1970; 0: the file system does not say.
[[nodiscard]] std::int64_t birth_of(const std::filesystem::path& file);

// The highest mark of the folder; one that cannot be read says nothing.
[[nodiscard]] Mark read_mark(const std::filesystem::path& folder);

// How far the store of the folder itself has come: the highest generation among its marks that is
// not one of close_folder().
[[nodiscard]] std::int64_t read_reach(const std::filesystem::path& folder);

// "3 generations behind the marks of its folder".
[[nodiscard]] std::string describe_behind(std::int64_t generations);

// Makes a mark durable at once. What is below it is refused from then on.
// Fails with: StartFailure CannotCreate.
[[nodiscard]] Result<> write_mark(const std::filesystem::path& folder, const Mark& mark);

// Makes a mark durable that no store of the folder has reached: whatever lies there below it is
// refused, as one that was salvaged or only half restored. Fails with: StartFailure CannotCreate.
[[nodiscard]] Result<> close_folder(const std::filesystem::path& folder, const Mark& mark);
// The store that lies there has come as far as that mark.
void note_reached(const std::filesystem::path& folder, const Mark& mark) noexcept;

// `had_store`: the folder remembers a store, whichever. `knows_generations`: the schema of the
// store has them; one that is older than that is older than any mark.
// Fails with: StartFailure BadData, saying how the store was found out and what to run.
[[nodiscard]] Result<> check_incarnation(Connection& connection,
                                         const std::filesystem::path& folder, bool had_store,
                                         bool knows_generations = true);

class Incarnation {
public:
    // Begins above both the store and its mark.
    Incarnation(Connection& connection, std::filesystem::path folder);

    // Of the store as it was committed last.
    [[nodiscard]] std::int64_t generation() const noexcept { return committed_; }

    // Within a transaction: takes the store to the next generation and notes its birth. The mark
    // follows in committed() and stays in rolled_back().
    void raise();
    // The same without the birth, a few times a second at most.
    void raise_if_due(BootTime now);
    void committed();
    void rolled_back() noexcept { pending_ = {}; }

    // raise() in a transaction of its own, with its mark, durable. A failure stays with the
    // connection, and the transaction is open or not as SQLite left it.
    void raise_now();

private:
    Connection& connection_;
    const std::filesystem::path folder_;
    std::int64_t committed_;
    std::int64_t generation_;  // the highest that was given out, or that a mark has
    Mark pending_{};           // written, not committed
    std::string mark_;         // the name of the mark; empty: none
    std::string last_mark_;    // the one before; it is renamed to be the next
    BootTime raised_at_{};
    Statement raise_;
    Statement raise_and_note_;
};

}  // namespace fencegate::storage::sqlite
