#pragma once
// Batcher: executes batches of commands on a Store, each batch one Unit and one transaction. Holds
// every answer back until the commit it depends on. No thread of its own: the store thread drives
// it in production, a test or simulation drives it directly.
//
//   begin -> time-outs -> commands in order, each after the expiries that were due when it arrived
//         -> expiries that are due now -> write what changed -> commit (one fsync) -> only now:
//         live state, events, answers
//
// A deadline counts from the end of that commit. Time in which the store did not look at what had
// arrived is given back to every deadline; see lockmgr/stall_meter.hpp.
//
// A batch commits as a whole or not at all. If the disk is full, a page is damaged or a constraint
// of the store holds where the rules did not, it is rolled back and its commands run again one by
// one, so that only the one at fault is refused (batcher_one_by_one.cpp). So they do, once, if the
// store lost the transaction before it was to commit. Any other failure of the
// disk is fatal: what was being committed is answered OutcomeUnknown and the store refuses to go
// on. Thread rule: belongs to one thread.

#include "lockmgr/stall_meter.hpp"
#include "storage/batch/hold_expiry.hpp"
#include "storage/batch/last_writes.hpp"
#include "storage/batch/sweeper.hpp"
#include "storage/unit/standing.hpp"
#include "storage/unit/store.hpp"
#include "storage/unit/unit.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace fencegate::storage {

struct Routed {
    AnswerSink* home;
    Delivery delivery;
};

class Batcher {
public:
    Batcher(std::unique_ptr<Store> store, lockmgr::LockClasses classes, lockmgr::WaitLimits limits,
            const Clock& clock, Random& random, StoreObserver& observer,
            const Retention& retention = {});

    // Executes `requests` in order, after giving up what is in `cancelled`. Returns the answers
    // that are final now, those of earlier waiters among them.
    // `taken`: whoever arrived by then is executed, or among `requests`; nothing that falls due
    // later ends in this batch. nullopt: everybody is.
    [[nodiscard]] std::vector<Routed> run(std::span<const Request> requests,
                                          std::span<const Ticket> cancelled,
                                          std::optional<BootTime> taken = {});

    // Between batches, while nothing is asked: the store is not stalled. See StallMeter.
    void look();
    // Whether anything runs that a stall would take time from.
    [[nodiscard]] bool has_deadlines() const noexcept;

    // Answers every waiter Draining, and from now on everybody who would wait.
    [[nodiscard]] std::vector<Routed> drain();

    // When run() should be called again although nobody asks: the next expiry or time-out.
    [[nodiscard]] std::optional<BootTime> next_deadline() const;

    // For whoever copies the store between its batches.
    [[nodiscard]] Store& store() noexcept { return *store_; }

    // Copies the log into the database when it has grown. Call between batches.
    void checkpoint_if_grown();
    // Copies the whole log and empties it. Nothing may run afterwards.
    void close();

    // Set once the disk can no longer be trusted. run() answers OutcomeUnknown from then on.
    [[nodiscard]] const std::optional<std::string>& fatal() const noexcept { return fatal_; }

    // What is known beside the rows. Between batches the two agree; tests look.
    [[nodiscard]] const lockmgr::LiveState& live() const noexcept { return standing_.live; }

private:
    // After a full disk, what writes without being asked waits this long.
    static constexpr Duration kRetryAfterFull{1'000};

    // And what was left out, because of a damaged page or a constraint: a lease that cannot end,
    // and the upkeep, which may read thousands of rows before it gets there again.
    static constexpr Duration kRetryLeftOut{10'000};
    static constexpr Duration kRetryUpkeep{60'000};

    enum class Attempt : std::uint8_t { Committed, Full, Damaged, Refused, Lost, Failed };

    // Whose step it was that failed.
    struct TheCommand {};  // at hand, or nobody who is known
    struct Waiting {
        Ticket ticket;
    };
    struct Expiring {
        lockmgr::FencingToken token;
    };
    struct HeldPayment {
        std::string id;
    };
    struct Upkeep {};
    using Culprit = std::variant<TheCommand, Waiting, Expiring, HeldPayment, Upkeep>;

    // A waiter that cannot be granted, and what it is told.
    struct Doomed {
        Ticket ticket;
        Answer answer;
    };

    [[nodiscard]] Attempt attempt(std::span<const Request> requests,
                                  std::span<const Ticket> cancelled, std::optional<BootTime> taken,
                                  std::vector<Routed>& out);
    void run_one_by_one(Attempt because, std::span<const Request> requests,
                        std::span<const Ticket> cancelled, std::vector<Routed>& out);
    // Again and again, each time without one of those whose steps fail.
    [[nodiscard]] Attempt attempt_without_culprits(std::span<const Request> requests,
                                                   std::span<const Ticket> cancelled,
                                                   std::optional<BootTime> taken,
                                                   std::vector<Routed>& out);
    void brace_for_full_disk();
    // One by one, each step is written on its own, so that its failure is its own.
    void end_step(Unit& unit, Culprit culprit);
    // False: it was the command itself, or nobody who is known.
    [[nodiscard]] bool leave_out_culprit();
    void give_up_doomed(Unit& unit);
    // What a command is answered that was rolled back.
    [[nodiscard]] Answer refusal_of(Attempt failed) const;
    // Counts and tells why something was left out or refused.
    void note_failure();
    void note_damage(const std::string& what);
    void run_timers(Unit& unit, std::span<const Ticket> cancelled);
    // Ends what fell due until `at`.
    void advance(Unit& unit, BootTime at);
    // Serves every line that moved. After each command: whoever comes later must not overtake.
    void serve_lines(Unit& unit);
    void look_for_deadlocks(Unit& unit);
    void sweep(Unit& unit, std::size_t commands);
    void expire_holds(Unit& unit);
    // The time of a batch, and news of the clock.
    [[nodiscard]] Moment begin_moment();
    [[nodiscard]] WallTime look_at_clock(BootTime now);
    [[nodiscard]] std::optional<Answer> execute(Unit& unit, const Request& request,
                                                std::span<const Ticket> cancelled);
    [[nodiscard]] Attempt commit(Unit& unit);
    [[nodiscard]] Attempt why_failed();
    void settle(Unit& unit, BootTime::duration took);
    void start_clocks(const Unit& unit, BootTime done);
    void roll_back(const Unit& unit);
    void publish(Unit& unit, std::vector<Routed>& out);
    void count_held(const std::vector<StoreEvent>& events);
    void publish_levels();
    // What a copy of the log has come to, which took so long.
    void note_checkpoint(BootTime::duration took);
    // Once the store cannot be trusted any more: answers `failed`, which were part of the commit
    // that failed, `rest`, which were not, and whoever waits.
    void fail_all(std::span<const Request> failed, std::span<const Request> rest,
                  std::vector<Routed>& out);
    void distrust(std::string why);
    std::unique_ptr<Store> store_;
    const Clock& clock_;
    StoreObserver& observer_;
    Standing standing_;
    Sweeper sweeper_;
    HoldExpiry holds_;
    std::vector<std::size_t> held_;  // live leases by class
    lockmgr::StallMeter stalls_;
    LastWrites last_writes_;
    BatchStats stats_;
    std::optional<BootTime> retry_at_;  // after a full disk, expiries wait a little
    bool keeps_record_ = true;          // not on a full disk
    bool tells_holder_ = true;          // not where a damaged page was met
    bool is_one_by_one_ = false;
    bool was_lost_ = false;           // the last attempt
    std::optional<Culprit> culprit_;  // of the last attempt
    std::optional<Failure> why_;      // it failed
    std::vector<Doomed> doomed_;
    std::optional<BootTime> upkeep_at_;      // after a failure of it; as retry_at_
    std::optional<BootTime> checkpoint_at_;  // likewise
    std::optional<BootTime> deadlock_look_at_;
    std::optional<Duration> told_offset_;  // of the clock; see StoreObserver
    std::optional<std::string> fatal_;
};

}  // namespace fencegate::storage
