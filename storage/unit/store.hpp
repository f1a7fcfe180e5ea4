#pragma once
// Store: the port of an engine. All that an engine is: rows, one transaction, time, and what it
// does between batches with the files it has. Nothing behind it decides what a lock or a payment
// may do.
//
//   begin -> readers() and write(), as often as needed -> commit or roll_back
//
// A transaction is kept or lost as a whole: nothing in it is taken back alone.
// After its first failure the store finds and writes nothing until clear_failure(), so whoever
// commits looks at failure() once. A commit that fails has told nobody anything.
// Thread rule: belongs to the store thread.

#include "base/believed_wall.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "storage/model/engine.hpp"
#include "storage/model/failure.hpp"
#include "storage/unit/changes.hpp"
#include "storage/unit/readers.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace fencegate::storage {

// A copy of the store that is made between batches, a slice at a time.
class StoreCopy {
public:
    // An unfinished copy is abandoned; the file stays, unusable.
    virtual ~StoreCopy() = default;

    // Copies for about `budget`. True: the copy is complete, and the file is closed.
    // REQUIRES: no open transaction, no earlier step that was true or failed.
    // Fails with: StoreFull, StoreDamaged, Internal.
    [[nodiscard]] virtual Result<bool> step(const Clock& clock,
                                            std::chrono::nanoseconds budget) = 0;
    [[nodiscard]] virtual CopyProgress progress() const = 0;
    // What the copy holds. REQUIRES: it has just become complete.
    [[nodiscard]] virtual Result<CopyFacts> facts() = 0;
};

class Store {
public:
    virtual ~Store() = default;

    [[nodiscard]] virtual Readers readers() noexcept = 0;

    virtual void begin() = 0;
    // A failure of it may show at the next read, at settle() or at the commit only.
    virtual void write(const Changes& changes) = 0;
    // Whether all that was written could be is known when it returns.
    virtual void settle() {}

    struct Commit {
        bool wrote = false;  // else there was nothing to make durable
        // Set: the store must not go on, and why. What was committed is lost to a start, unless
        // `is_safe`.
        std::optional<std::string> lost{};
        bool is_safe = true;
    };
    // Durable when it returns, unless there is a failure(). `commands`: how many the batch had.
    [[nodiscard]] virtual Commit commit(std::size_t commands) = 0;
    // A failure() afterwards is one of the rollback.
    virtual void roll_back() = 0;

    [[nodiscard]] virtual const std::optional<Failure>& failure() const noexcept = 0;
    virtual void clear_failure() noexcept = 0;
    // The time for people, as of `now`. Notices jumps of the clock.
    virtual WallTime look(BootTime now) = 0;
    [[nodiscard]] virtual const BelievedWall& wall() const noexcept = 0;
    // How long the store was away, where that is told. See StoreObserver::on_clock_jump.
    [[nodiscard]] virtual const std::optional<ClockJump>& gap() const noexcept = 0;

    // --- between batches ---

    // How much is written and not in its place yet; 0 where an engine has no such thing.
    [[nodiscard]] virtual std::int64_t log_bytes() const noexcept = 0;
    [[nodiscard]] virtual bool wants_checkpoint() const noexcept = 0;
    // Copies the log into its place. Returns how long that took. Fails like a statement.
    virtual BootTime::duration checkpoint() = 0;

    // REQUIRES: nothing has the name `file`. Fails with: StoreFull, Internal.
    [[nodiscard]] virtual Result<std::unique_ptr<StoreCopy>> begin_copy(
        const std::filesystem::path& file) = 0;

    // Puts everything in its place, as checkpoint() does, and says in the store that it ended in
    // order. Nothing may run afterwards.
    virtual BootTime::duration close() = 0;
};

}  // namespace fencegate::storage
