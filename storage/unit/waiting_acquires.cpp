#include "storage/unit/waiting_acquires.hpp"

namespace fencegate::storage {

void WaitingAcquires::add(WaitingAcquire waiting) {
    const auto ticket = waiting.ticket;
    by_class_[waiting.lock_class].emplace(waiting.since, ticket);
    waiting_.emplace(ticket, std::move(waiting));
}

void WaitingAcquires::remove(Ticket ticket) {
    const auto found = waiting_.find(ticket);
    if (found == waiting_.end()) return;
    const auto& waiting = found->second;
    by_class_[waiting.lock_class].erase({waiting.since, ticket});
    waiting_.erase(found);
}

const WaitingAcquire* WaitingAcquires::find(Ticket ticket) const {
    const auto found = waiting_.find(ticket);
    return found == waiting_.end() ? nullptr : &found->second;
}

std::vector<Ticket> WaitingAcquires::tickets() const {
    std::vector<Ticket> tickets;
    tickets.reserve(waiting_.size());
    for (const auto& [ticket, waiting] : waiting_) tickets.push_back(ticket);
    return tickets;
}

std::optional<BootTime> WaitingAcquires::oldest_since(std::size_t lock_class) const {
    const auto& line = by_class_[lock_class];
    if (line.empty()) return std::nullopt;
    return line.begin()->first;
}

}  // namespace fencegate::storage
