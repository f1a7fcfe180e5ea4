#pragma once
// Timeline: what the store should hold and remember, written down a second time from the documents
// and not from its code: plain containers, searched from end to end. A copy of it is a backup.
// Owns: state, and questions about it. Refuses to own: what a batch does to it (judge.hpp).
// Thread rule: one thread.

#include "lockmgr/lease.hpp"
#include "lockmgr/lock_class.hpp"
#include "storage/model/engine.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::simulation {

using lockmgr::Claim;
using lockmgr::LeaseState;
using lockmgr::LockMode;
using lockmgr::RunState;
using storage::Answer;
using storage::Command;
using storage::Ticket;
using LockSet = std::vector<std::string>;

[[nodiscard]] LockSet locks_of(const storage::AcquireLock& acquire);
[[nodiscard]] bool overlap(const LockSet& left, const LockSet& right);
[[nodiscard]] std::string text_of_locks(const LockSet& locks);
[[nodiscard]] std::string run_lock(const std::string& job, const lockmgr::RunSlot& slot);

struct HeldLease {
    std::int64_t token = 0;
    std::string id;
    LockSet locks;
    std::vector<std::int64_t> previous;  // of each lock, the lease before this one
    Claim claim;
    std::string principal;
    std::string owner;
    std::string metadata;
    Duration ttl{};
    Duration max_hold{};  // zero: none
    LeaseState state = LeaseState::Live;
    BootTime held_since{};
    BootTime deadline{};    // while live
    bool is_armed = false;  // in the batch that is being judged: it runs from its commit on
    std::optional<std::int64_t> progress;
    std::int64_t stalled = 0;  // renewals since it rose
    std::int64_t refused = 0;  // writes under its token
    std::int64_t ended_hour = 0;

    [[nodiscard]] bool is_live() const noexcept { return state == LeaseState::Live; }
    [[nodiscard]] bool covers(std::string_view lock) const;
    // What a deadline may be at most.
    [[nodiscard]] BootTime cap(BootTime wished) const;
};

struct WaitingAcquire {
    std::uint64_t place = 0;  // numbers rise as waiters come
    Ticket ticket;
    Command command;
    LockSet locks;
    Duration ttl{};
    BootTime deadline{};

    [[nodiscard]] const storage::AcquireLock& acquire() const {
        return std::get<storage::AcquireLock>(command.operation);
    }
};

// Who left the line and may come back.
struct KeptPlace {
    WaitingAcquire waiter;  // as it stood there
    BootTime until{};
};

// What a key was answered first.
struct KeyRecord {
    std::array<std::uint8_t, 32> fingerprint{};
    std::optional<ErrorCode> refusal;
    bool is_of_lease = false;  // a grant or a renewal: told as the lease stands
    std::string body;          // the refusal's detail, if it is one
    std::string resource_id;
    std::optional<std::int64_t> token;
    std::string request_id;
    std::int64_t hour = 0;
    bool is_released = false;  // its write ended the lease it was made under
};

struct HeldPayment {
    enum class State : std::uint8_t { Authorized, Captured, Cancelled };
    State state = State::Authorized;
    std::int64_t authorized = 0;
    std::int64_t captured = 0;
    std::int64_t refunded = 0;
};

struct RecordedRun {
    RunState state = RunState::Claimed;
    std::int64_t attempts = 0;
    std::int64_t token = 0;
    std::string result;

    friend bool operator==(const RecordedRun&, const RecordedRun&) = default;
};
struct Proclaimed {
    std::int64_t token = 0;
    std::string value;

    friend bool operator==(const Proclaimed&, const Proclaimed&) = default;
};

enum class Fits : std::uint8_t { Yes, NotNow, AsAnotherKind };

struct Timeline {
    std::map<std::int64_t, HeldLease> leases;   // by token
    std::map<std::string, std::int64_t> heads;  // the newest lease of each lock
    std::deque<WaitingAcquire> waiters;         // by place, of all locks
    std::vector<KeptPlace> places;              // of those who are away
    std::uint64_t last_place = 0;
    std::size_t returns = 0;                // to a place that was kept
    std::map<std::string, BootTime> rests;  // locks granted to nobody before
    std::map<std::string, KeyRecord> keys;  // by principal and key
    std::map<std::string, HeldPayment> payments;
    std::size_t transfers = 0;
    std::map<std::string, RecordedRun> runs;  // by lock
    std::map<std::string, Proclaimed> elections;
    bool is_draining = false;
    std::int64_t hour = 0;
    // Of keys whose answers are no longer kept: the last movement that was made by then.
    std::map<std::string, std::int64_t> forgotten_keys;
    std::set<std::int64_t> just_forgotten;  // leases, by the last batch

    [[nodiscard]] HeldLease* find(std::int64_t token);
    [[nodiscard]] HeldLease* find_id(const std::string& lease_id);
    [[nodiscard]] std::vector<const HeldLease*> holders_of(const std::string& lock) const;
    // Who acts for the lock: the newest of its holders.
    [[nodiscard]] const HeldLease* holder_of(const std::string& lock) const;
    [[nodiscard]] Fits fit(const LockSet& locks, const Claim& claim) const;
    // Whether one of the first `before` waiters wants one of the locks.
    [[nodiscard]] bool is_wanted(const LockSet& locks, std::size_t before) const;
    // How many of them are before this place.
    [[nodiscard]] std::size_t waiting_before(std::uint64_t place) const;
    [[nodiscard]] std::size_t waiting_for(const std::string& lock) const;
    // Places before this one in the line of the lock, of those who wait and of those who are away.
    [[nodiscard]] std::size_t places_before(const std::string& lock, std::uint64_t place) const;
    [[nodiscard]] std::size_t places_for(const std::string& lock) const {
        return places_before(lock, last_place + 1);
    }
    void forget_places(BootTime now);
    // Takes the place back that is kept under the key.
    [[nodiscard]] std::optional<WaitingAcquire> take_place(const std::string& key, BootTime now);
    [[nodiscard]] const WaitingAcquire* find_waiter(Ticket ticket) const;
    [[nodiscard]] const WaitingAcquire* find_waiting_key(const std::string& key) const;
    [[nodiscard]] const KeptPlace* find_place(const std::string& key) const;
    // How many locks of the class the principal has, and waits or keeps a place for.
    [[nodiscard]] std::size_t held_by(const std::string& principal, std::string_view klass) const;
    [[nodiscard]] std::size_t waited_for_by(const std::string& principal,
                                            std::string_view klass) const;
    // The next moment at which something ends by itself.
    [[nodiscard]] std::optional<BootTime> next_deadline() const;

    // Nobody's time: every lease and rest ends later.
    void postpone(BootTime::duration span);
    // What was granted or renewed since the last call counts from `span` later on, the rest gets
    // back `stall` of it.
    void start_clocks(BootTime::duration span, BootTime::duration stall);

    // The process that held it has died; another one opens the store at `now`.
    void restart(BootTime now);
    // As it is put back from a backup: nothing that was granted then is good any more.
    void restore();
};

[[nodiscard]] std::string key_of(const Command& command, const storage::Idempotency& idempotency);
// The first segment, which is the name of its class here.
[[nodiscard]] std::string_view class_of(std::string_view lock);

}  // namespace fencegate::simulation
