#include "lockmgr/live_state.hpp"

#include "base/check.hpp"

namespace fencegate::lockmgr {

void LiveState::arm(FencingToken token, BootTime deadline) {
    undo_.emplace_back(DeadlineChanged{token, expiries_.arm(token, deadline)});
}

void LiveState::disarm(FencingToken token) {
    undo_.emplace_back(DeadlineChanged{token, expiries_.disarm(token)});
}

bool LiveState::enqueue(Waiter waiter) {
    const auto id = waiter.id;
    if (!waiters_.push_back(std::move(waiter))) return false;
    undo_.emplace_back(Enqueued{id});
    return true;
}

std::optional<Waiter> LiveState::dequeue(const LockName& lock) {
    auto waiter = waiters_.pop_front(lock);
    if (waiter) undo_.emplace_back(Removed{*waiter});
    return waiter;
}

std::optional<Waiter> LiveState::remove(WaiterId id) {
    auto waiter = waiters_.remove(id);
    if (waiter) undo_.emplace_back(Removed{*waiter});
    return waiter;
}

void LiveState::rollback_to(Mark mark) {
    while (undo_.size() > mark) {
        take_back(undo_.back());
        undo_.pop_back();
    }
}

void LiveState::take_back(Undo& undo) {
    if (const auto* entered = std::get_if<Enqueued>(&undo)) {
        const auto waiter = waiters_.remove(entered->id);
        FG_CHECK(waiter.has_value());
    } else if (auto* removed = std::get_if<Removed>(&undo)) {
        waiters_.restore(std::move(removed->waiter));
    } else if (const auto* changed = std::get_if<DeadlineChanged>(&undo)) {
        if (changed->before) {
            expiries_.arm(changed->token, *changed->before);
        } else {
            expiries_.disarm(changed->token);
        }
    }
}

}  // namespace fencegate::lockmgr
