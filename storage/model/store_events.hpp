#pragma once
// What happened in the store, told after the commit that made it true: the source of every domain
// metric, so that counters and rows can never disagree.
// Thread rule: observers are called on the engine's thread and must not block.

#include "base/believed_wall.hpp"
#include "base/clock.hpp"
#include "lockmgr/fence_rule.hpp"
#include "lockmgr/lease.hpp"
#include "lockmgr/lock_name.hpp"
#include "storage/model/lock_notice.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fencegate::storage {

using Seconds = std::chrono::duration<double>;

// `lock_class` is an index into LockClasses everywhere.
struct AcquireEvent {
    enum class Outcome : std::uint8_t { Granted, Contended, Timeout, QueueFull, Denied };
    std::size_t lock_class;
    Outcome outcome;
    Seconds waited;
};
struct RenewEvent {
    std::size_t lock_class;
    double share_left;  // of the TTL, when the renewal came
    Seconds ttl;        // that it had
};
struct LeaseEndEvent {
    std::size_t lock_class;
    lockmgr::LeaseEnding ending;
    lockmgr::FencingToken token;
    Seconds held{0};
    Seconds ttl{0};
    Seconds remaining{0};   // at a release
    Seconds expiry_lag{0};  // at an expiry: how late it was noticed
    // Of the TTL, at the last write that passed the fence under the lease; nullopt: none did since
    // the store was opened. Filled in by LastWrites.
    std::optional<double> share_left_at_write{};
};
// The holder of a lease that had run out came back for it, to release or to renew it: slow, not
// gone.
struct LateReturnEvent {
    enum class What : std::uint8_t { Release, Renewal };
    std::size_t lock_class;
    What what;
    Seconds late{0};  // since the end of the lease
    Seconds ttl{0};   // that it had
};
struct FenceEvent {
    enum class Extra : std::uint8_t { None, Missing, Malformed };  // refused before any lease
    std::size_t lock_class;
    lockmgr::FenceVerdict verdict;
    Extra extra = Extra::None;
    Seconds stale_for{0};  // how long ago the lease had ended
    // Of the lease that a write in time passed under; nullopt: none did.
    std::optional<lockmgr::FencingToken> token{};
    Seconds ttl{0};         // of the lease, if there is one
    double share_left = 0;  // of its TTL, while it is live
};
struct IdempotencyEvent {
    enum class Result : std::uint8_t { New, Replayed, InFlight, Mismatch };
    Result result;
};
struct PaymentEvent {
    enum class Operation : std::uint8_t { Create, Capture, Refund, Cancel, Expire };
    Operation operation;
    bool is_accepted;
};

using StoreEvent = std::variant<AcquireEvent, RenewEvent, LeaseEndEvent, LateReturnEvent,
                                FenceEvent, IdempotencyEvent, PaymentEvent>;

struct BatchStats {
    std::size_t commands = 0;
    Seconds commit{0};  // zero if the batch wrote nothing
    bool wrote = false;
    std::int64_t wal_bytes = 0;
    std::int64_t journal_entries = 0;
    std::size_t swept_answers = 0;  // past their retention, as the next
    std::size_t swept_leases = 0;
};

// An acquire that was not granted at once, told when it is decided. Names its lock, unlike the
// events: there is one only where somebody was in the way.
struct Contention {
    lockmgr::LockName lock;
    Seconds waited;  // zero: refused without a wait
};

// A statement that the disk or the schema did not take.
enum class StoreError : std::uint8_t {
    Full,        // no room: the batch was taken back
    Constraint,  // the schema refused one command, which no rule explains
    Damaged,     // a page is not as it was written: what needed it was taken back
    Fatal,       // the disk can no longer be trusted; the store stops
};

// How the lines stand in one class.
struct ClassLevels {
    std::size_t held = 0;
    std::size_t waiting = 0;
    std::optional<BootTime> oldest_waiter_since;
};

// Overrides what it wants to know; the rest is for others.
class StoreObserver {
public:
    virtual ~StoreObserver() = default;
    virtual void on_events(const std::vector<StoreEvent>& /*events*/) {}
    // In the order of commits. Every notice of a batch comes in one call.
    virtual void on_notices(std::vector<LockNotice> /*notices*/) {}
    virtual void on_contentions(const std::vector<Contention>& /*contentions*/) {}
    virtual void on_levels(std::size_t /*lock_class*/, const ClassLevels& /*levels*/) {}
    // How many circles of waiters wait for each other.
    virtual void on_deadlocks(std::size_t /*count*/) {}
    virtual void on_batch(const BatchStats& /*stats*/) {}
    virtual void on_checkpoint(Seconds /*took*/) {}
    virtual void on_error(StoreError /*error*/) {}
    // With each Damaged: which page it was.
    virtual void on_damage(const std::string& /*what*/) {}
    // Believed wall time less boot time, when that changes.
    virtual void on_clock(Duration /*offset*/) {}
    // The wall clock was set, or is believed again; see base/believed_wall.hpp.
    virtual void on_clock_jump(const ClockJump& /*jump*/) {}
};

}  // namespace fencegate::storage
