#pragma once
// WatchLog: the latest things that happened to locks, for whoever follows them. One copy of each
// event for all watchers; a watcher is only a position in it, so memory is bounded however many
// there are and however slowly they read: who falls behind the oldest event has lost some, and is
// told. Also counts the watchers, because their number has a limit.
// Owns: events, their ids. Refuses to own: connections and waiting.
// Invariant 1: positions rise by one an event and never come twice in one run of the program.
// Invariant 2: it holds at most `events_max` events.
// Thread rule: publish() on the store thread, everything else on any thread. The mutex is held for
// moves of pointers, never while an event is written as text.

#include "proxy/streams/subscription.hpp"
#include "storage/model/lock_notice.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fencegate::proxy {

// Of the last event somebody has seen; 0: of none.
using WatchPosition = std::uint64_t;

// The events of one commit. Immutable, but for the text of each, which is made by the first reader:
// the store thread has better things to do, and without watchers nobody has to.
class WatchBatch {
public:
    // `run` outlives it. REQUIRES: `notices` is not empty.
    WatchBatch(WatchPosition first, std::vector<storage::LockNotice> notices,
               const std::string& run);

    [[nodiscard]] WatchPosition first() const noexcept { return first_; }
    [[nodiscard]] WatchPosition last() const noexcept { return first_ + notices_.size() - 1; }
    [[nodiscard]] std::size_t size() const noexcept { return notices_.size(); }
    // Of the first event behind `seen`; size() if there is none.
    [[nodiscard]] std::size_t index_behind(WatchPosition seen) const noexcept {
        return seen < first_ ? 0 : std::min<std::size_t>(seen + 1 - first_, size());
    }
    // Moves `seen` on to the last event before the first wanted one. False if there is none.
    bool find(const WatchFilter& filter, std::size_t filter_hash, WatchPosition& seen) const;
    // Appends the text of the wanted events behind `seen`, and moves `seen` on, until `out` has
    // `bytes_max` bytes. False if it stopped there.
    bool append(const WatchFilter& filter, std::size_t filter_hash, std::size_t bytes_max,
                WatchPosition& seen, std::string& out) const;

private:
    struct Text {
        std::once_flag made;
        std::string text;
    };

    [[nodiscard]] bool is_wanted(const WatchFilter& filter, std::size_t filter_hash,
                                 std::size_t index) const;
    [[nodiscard]] const std::string& text(std::size_t index) const;

    WatchPosition first_;
    const std::string& run_;
    std::vector<storage::LockNotice> notices_;
    // Of the name of the lock, or kManyLocks: a thousand watchers of a lock each look through this
    // and not through strings.
    std::vector<std::size_t> hashes_;
    mutable std::vector<Text> texts_;
};

// Is told that there is something new. Called on the store thread; must not block.
class WatchListener {
public:
    virtual ~WatchListener() = default;
    virtual void on_published() = 0;
};

struct WatchLimits {
    std::size_t events_max;
    std::size_t watchers_max;
};

class WatchLog {
public:
    // shared_ptr: a reader may still be writing events out when the log drops them.
    using Batches = std::vector<std::shared_ptr<const WatchBatch>>;

    // `run` tells the ids of this process from those of every other: [0-9a-f]{16}.
    WatchLog(std::string run, WatchLimits limits);
    ~WatchLog();

    // Once for each thread that has watchers. `listener` outlives the log's use.
    void add_listener(WatchListener& listener);
    void publish(std::vector<storage::LockNotice> notices);

    [[nodiscard]] WatchPosition present() const;
    // What the client sends back as Last-Event-ID: "<run>-<position>".
    [[nodiscard]] std::string id(WatchPosition position) const;

    struct Resumed {
        WatchPosition position;   // the present, if something was missed
        std::string_view missed;  // why: "restarted", "too_old", "malformed"; empty: nothing
    };
    [[nodiscard]] Resumed resume(std::string_view last_event_id) const;

    // The oldest batches with events behind `seen`, a bounded number of them; empty if there is
    // nothing new, absent if an event behind `seen` is gone.
    [[nodiscard]] std::optional<Batches> behind(WatchPosition seen) const;

    // A place among the watchers, given back on destruction.
    class Seat {
    public:
        explicit Seat(std::atomic<std::size_t>& taken) noexcept : taken_(&taken) {}
        ~Seat() {
            if (taken_ != nullptr) --*taken_;
        }
        Seat(Seat&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
        Seat& operator=(Seat&&) = delete;

    private:
        std::atomic<std::size_t>* taken_;
    };
    // Nothing if as many as may watch are watching.
    [[nodiscard]] std::optional<Seat> take_seat() noexcept;

private:
    const std::string run_;
    const WatchLimits limits_;
    std::atomic<std::size_t> seats_taken_{0};

    mutable std::mutex mutex_;  // guards the members below
    std::deque<std::shared_ptr<const WatchBatch>> batches_;
    std::size_t size_ = 0;    // events in batches_
    WatchPosition last_ = 0;  // of the newest event
    std::vector<WatchListener*> listeners_;
};

// One watcher's way through the log.
class WatchCursor {
public:
    enum class Filled : std::uint8_t { Everything, Part, Overrun };

    // `log` outlives it.
    WatchCursor(const WatchLog& log, WatchFilter filter, WatchPosition seen);

    // Appends whole events until `out` has `bytes_max` bytes or there are no more. Overrun: events
    // that were not read are gone, and nothing more will come.
    [[nodiscard]] Filled fill(std::size_t bytes_max, std::string& out);
    // Passes over what is not wanted of `fresh`, batches in the order of the log. False if that was
    // all of it: then there is nothing to fill.
    [[nodiscard]] bool is_wanted_in(const WatchLog::Batches& fresh);
    [[nodiscard]] WatchPosition seen() const noexcept { return seen_; }

private:
    const WatchLog& log_;
    WatchFilter filter_;
    std::size_t filter_hash_;
    WatchPosition seen_;
};

}  // namespace fencegate::proxy
