// What the world is told of a batch once it is there to stay: its answers, events and levels.
#include "base/check.hpp"
#include "storage/batch/batcher.hpp"
#include "storage/model/remedies.hpp"

#include <utility>

namespace fencegate::storage {

void Batcher::publish(Unit& unit, std::vector<Routed>& out) {
    for (auto& [ticket, answer] : unit.outcomes) {
        const auto* waiting = standing_.waiting.find(ticket);
        FG_CHECK(waiting != nullptr);
        if (answer.error) advise(waiting->command.operation, *answer.error);
        out.push_back({waiting->home, {ticket, std::move(answer)}});
        standing_.waiting.remove(ticket);
    }
    for (std::size_t told = 0; told < unit.contradictions; ++told)
        observer_.on_error(StoreError::Constraint);
    if (!unit.events.empty()) observer_.on_events(unit.events);
    // Who stands in line makes no event yet, and who is turned away there may make none.
    if (!unit.events.empty() || unit.lines_moved()) publish_levels();
    if (!unit.contentions.empty()) observer_.on_contentions(unit.contentions);
    if (!unit.notices.empty()) observer_.on_notices(std::move(unit.notices));
    observer_.on_batch(stats_);
}

void Batcher::count_held(const std::vector<StoreEvent>& events) {
    for (const auto& event : events) {
        if (const auto* acquired = std::get_if<AcquireEvent>(&event)) {
            if (acquired->outcome == AcquireEvent::Outcome::Granted) ++held_[acquired->lock_class];
        } else if (const auto* ended = std::get_if<LeaseEndEvent>(&event)) {
            --held_[ended->lock_class];
        }
    }
}

void Batcher::publish_levels() {
    for (std::size_t lock_class = 0; lock_class < held_.size(); ++lock_class) {
        observer_.on_levels(lock_class,
                            {.held = held_[lock_class],
                             .waiting = standing_.waiting.count(lock_class),
                             .oldest_waiter_since = standing_.waiting.oldest_since(lock_class)});
    }
}

}  // namespace fencegate::storage
