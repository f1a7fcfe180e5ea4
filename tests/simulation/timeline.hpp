#pragma once
// Timeline: what the store should hold and remember, written down a second time from the documents
// and not from its code: plain containers, searched from end to end. A copy of it is a backup.
// Owns: state, and questions about it. Refuses to own: what a batch does to it (judge.hpp).
// Thread rule: one thread. A lease covers a set of locks; today every set has one.

#include "lockmgr/lease.hpp"
#include "storage/engine.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::simulation {

using lockmgr::LeaseState;
using storage::Answer;
using storage::Command;
using storage::Ticket;
using LockSet = std::vector<std::string>;

[[nodiscard]] LockSet locks_of(const storage::AcquireLock& acquire);
[[nodiscard]] bool overlap(const LockSet& left, const LockSet& right);
[[nodiscard]] std::string text_of_locks(const LockSet& locks);

struct HeldLease {
    std::int64_t token = 0;
    std::string id;
    LockSet locks;
    std::string principal;
    std::string owner;
    std::string metadata;
    Duration ttl{};
    LeaseState state = LeaseState::Live;
    BootTime deadline{};       // while live
    std::int64_t refused = 0;  // writes under its token

    [[nodiscard]] bool is_live() const noexcept { return state == LeaseState::Live; }
    [[nodiscard]] bool covers(std::string_view lock) const;
};

struct WaitingAcquire {
    Ticket ticket;
    Command command;
    LockSet locks;
    Duration ttl{};
    BootTime deadline{};

    [[nodiscard]] const storage::AcquireLock& acquire() const {
        return std::get<storage::AcquireLock>(command.operation);
    }
};

// What a key was answered first.
struct KeyRecord {
    std::array<std::uint8_t, 32> fingerprint{};
    std::optional<ErrorCode> refusal;
    bool is_grant = false;
    std::string body;  // the refusal's detail, if it is one
    std::string resource_id;
    std::optional<std::int64_t> token;
    std::string request_id;
};

struct HeldPayment {
    enum class State : std::uint8_t { Authorized, Captured, Cancelled };
    State state = State::Authorized;
    std::int64_t authorized = 0;
    std::int64_t captured = 0;
    std::int64_t refunded = 0;
};

struct Timeline {
    std::map<std::int64_t, HeldLease> leases;  // by token
    std::deque<WaitingAcquire> waiters;        // in order of arrival, of all locks
    std::map<std::string, KeyRecord> keys;     // by principal and key
    std::map<std::string, HeldPayment> payments;
    std::size_t transfers = 0;
    std::map<std::string, BootTime> rests;  // locks granted to nobody before
    bool is_draining = false;

    [[nodiscard]] HeldLease* find(std::int64_t token);
    [[nodiscard]] HeldLease* find_id(const std::string& lease_id);
    [[nodiscard]] const HeldLease* live_lease_of(const std::string& lock) const;
    [[nodiscard]] bool is_free(const LockSet& locks) const;
    // Whether one of the first `before` waiters wants one of the locks.
    [[nodiscard]] bool is_wanted(const LockSet& locks, std::size_t before) const;
    [[nodiscard]] std::size_t waiting_for(const LockSet& locks) const;
    [[nodiscard]] const WaitingAcquire* find_waiter(Ticket ticket) const;
    [[nodiscard]] const WaitingAcquire* find_waiting_key(const std::string& key) const;
    // The next moment at which something ends by itself.
    [[nodiscard]] std::optional<BootTime> next_deadline() const;

    // The process that held it has died; another one opens the store at `now`.
    void restart(BootTime now);
    // As it is put back from a backup: nothing that was granted then is good any more.
    void restore();
};

[[nodiscard]] std::string key_of(const Command& command, const storage::Idempotency& idempotency);

}  // namespace fencegate::simulation
