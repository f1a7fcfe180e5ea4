#pragma once
// Engine: where commands go and durable answers come from. One order for everything: an acquire,
// a renewal, an expiry and a refund are decided one after the other, so "the token is live" is a
// fact about the order and not about a clock.
// Thread rule: every method may be called from any thread. Answers are delivered on the engine's
// own thread, one call per sink and batch.

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "lockmgr/lock_class.hpp"
#include "lockmgr/wait_queue.hpp"
#include "storage/model/command.hpp"
#include "storage/model/store_events.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fencegate::storage {

// Names one question. Unique over the life of the engine; the asker chooses it.
using Ticket = Strong<struct TicketTag, std::uint64_t>;

struct Delivery {
    Ticket ticket;
    Answer answer;
};

// Whoever asks. One sink per session thread: a batch then costs one wake-up a thread.
class AnswerSink {
public:
    virtual ~AnswerSink() = default;
    virtual void deliver(std::vector<Delivery> deliveries) = 0;
};

struct Request {
    Ticket ticket;
    AnswerSink* home = nullptr;  // outlives the engine
    Command command;
    // When it was submitted: whoever came before a deadline is in time, however long it is until
    // the command is executed. nullopt: it is executed at once.
    std::optional<BootTime> arrived{};
};

struct CopyProgress {
    std::int64_t pages_done = 0;
    std::int64_t pages_total = 0;
};

// What a copy of the store holds: everything up to here and nothing beyond.
struct CopyFacts {
    std::int64_t epoch = 0;
    // The newest that was issued in this epoch; nullopt: none yet.
    std::optional<lockmgr::FencingToken> last_token{};
    std::int64_t last_transfer = 0;
    std::int64_t bytes = 0;
};

// Whoever wants a copy. Called on the engine's thread, and must not keep it.
class CopySink {
public:
    virtual ~CopySink() = default;
    // Whether the copy may grow now. Asked again a moment later, however long it may not.
    [[nodiscard]] virtual bool takes_more() = 0;
    virtual void on_copy_progress(CopyProgress progress) = 0;
    // Once, at the end. The file is complete and closed, but not synced.
    // Fails with: StoreFull, Internal, Draining. The file is then worth nothing.
    virtual void on_copied(Result<CopyFacts> facts) = 0;
};

// What an operator asks when no answers come.
struct EngineLoad {
    std::size_t commands = 0;              // submitted, and neither answered nor put in a line yet
    std::optional<BootTime> busy_since{};  // when the batch began that runs now; nullopt: none does
};

// What became of a question. Unless it was taken, nothing was done and no delivery comes.
enum class Submission : std::uint8_t {
    Taken,    // exactly one delivery will come
    Full,     // the bounded queue is full
    Stopped,  // the engine was stopped
    Failed,   // the disk can no longer be trusted; the process is about to end
};

class Engine {
public:
    virtual ~Engine() = default;

    [[nodiscard]] virtual Submission submit(Request request) = 0;

    // Gives up a waiting acquire. It is answered RequestTimeout, unless its grant came first.
    virtual void cancel(Ticket ticket) = 0;

    // Copies the store into `file`, which does not exist yet, while it goes on serving. The copy
    // holds everything that was answered before this call. False: another copy is being made or the
    // engine has stopped, and nothing was done. `sink` outlives the engine.
    [[nodiscard]] virtual bool copy_to(std::filesystem::path file, CopySink& sink) = 0;

    // Asks for a sign of life: EngineOptions::on_alive, once what was submitted before has been
    // worked on. None while the disk hangs, and none from an engine that has failed.
    virtual void ask_for_life() = 0;

    // Answers every waiter Draining, now and from now on, and gives up a copy. Everything else goes
    // on.
    virtual void drain() = 0;

    // As of now, and true while the disk hangs.
    [[nodiscard]] virtual EngineLoad load() const noexcept = 0;

    // Finishes what is queued, checkpoints and closes. Idempotent.
    virtual void stop() = 0;
};

// How long things last, in hours that the store runs.
struct Retention {
    std::chrono::hours idempotency{72};  // answers, from the first on
    std::chrono::hours history{168};     // leases, from their end on
    std::chrono::hours holds{168};       // payments that nobody captures, until they expire
};

struct EngineOptions {
    std::filesystem::path data_dir;
    lockmgr::LockClasses classes;
    lockmgr::WaitLimits wait_limits;
    Retention retention{};
    std::size_t queue_max = 4096;
    std::size_t batch_max = 256;
    // Called once, on the engine's thread, when the disk can no longer be trusted. Everything
    // outstanding has been answered by then: OutcomeUnknown what was part of the commit that
    // failed, StoreFailed the rest. The process must stop.
    std::function<void(const std::string&)> on_fatal;
    // Called on the engine's thread when it was asked for a sign of life; at most once an asking.
    std::function<void()> on_alive{};
    // Called at the start with the folder locked, once all that a start reads of the store has been
    // read, the clock told, and nothing written. If it fails, so does the start, and the folder is
    // as it was.
    std::function<Result<>()> before_writing{};
    // What that makes in the folder: removed again if the start fails, unless it was there.
    std::vector<std::string> files_made{};
};

// SQLite in `data_dir`, one thread, group commit. `clock`, `random` and `observer` outlive it.
// Fails with: StartFailure InUse (another process has the folder), BadData, CannotCreate.
[[nodiscard]] Result<std::unique_ptr<Engine>> open_embedded_engine(EngineOptions options,
                                                                   const Clock& clock,
                                                                   Random& random,
                                                                   StoreObserver& observer);

// The same on PostgreSQL at `url`. The data folder keeps what else a gateway has, and is locked as
// well. The gateway that served the store before is deposed: it stops at its next transaction.
// Fails with: StartFailure InUse, BadData, BadConfig, Unavailable, CannotCreate.
[[nodiscard]] Result<std::unique_ptr<Engine>> open_shared_engine(EngineOptions options,
                                                                 const std::string& url,
                                                                 const Clock& clock, Random& random,
                                                                 StoreObserver& observer);

}  // namespace fencegate::storage
