#pragma once
// WaitingAcquires: what each waiting acquire asked for, by ticket. The order they are served in is
// lockmgr's WaitingLines; this keeps the questions until they are answered.
// Entries come when a waiter joins its lines and go only after its answer is committed, or when the
// batch in which it joined is rolled back.
// Thread rule: belongs to the store thread.

#include "storage/model/engine.hpp"

#include <cstdint>
#include <set>
#include <unordered_map>
#include <vector>

namespace fencegate::storage {

struct WaitingAcquire {
    Ticket ticket;
    lockmgr::WaiterId waiter;
    AnswerSink* home;
    Command command;  // an AcquireLock
    Duration ttl;
    std::size_t lock_class;
    BootTime since;

    [[nodiscard]] const AcquireLock& acquire() const {
        return std::get<AcquireLock>(command.operation);
    }
};

class WaitingAcquires {
public:
    explicit WaitingAcquires(std::size_t classes) : by_class_(classes) {}

    void add(WaitingAcquire waiting);
    void remove(Ticket ticket);
    [[nodiscard]] const WaitingAcquire* find(Ticket ticket) const;

    // Tickets are the askers' numbers and of several threads; the line has its own.
    [[nodiscard]] lockmgr::WaiterId next_id() const { return lockmgr::WaiterId(last_ + 1); }
    lockmgr::WaiterId take_id() { return lockmgr::WaiterId(++last_); }

    // From now on nobody is to wait.
    void close() noexcept { is_closed_ = true; }
    [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }

    [[nodiscard]] std::vector<Ticket> tickets() const;
    [[nodiscard]] std::size_t count(std::size_t lock_class) const {
        return by_class_[lock_class].size();
    }
    [[nodiscard]] std::optional<BootTime> oldest_since(std::size_t lock_class) const;

private:
    std::unordered_map<Ticket, WaitingAcquire> waiting_;
    std::vector<std::set<std::pair<BootTime, Ticket>>> by_class_;  // oldest first
    std::uint64_t last_ = 0;
    bool is_closed_ = false;
};

}  // namespace fencegate::storage
