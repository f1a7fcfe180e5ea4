// What the world is told of a batch once it is there to stay: its answers, events and levels.
#include "base/check.hpp"
#include "storage/batch/batcher.hpp"
#include "storage/model/remedies.hpp"

#include <utility>

namespace fencegate::storage {

void Batcher::publish(Batch& batch, std::vector<Routed>& out) {
    for (auto& [ticket, answer] : batch.outcomes) {
        const auto* waiting = tables_.room.find(ticket);
        FG_CHECK(waiting != nullptr);
        if (answer.error) advise(waiting->command.operation, *answer.error);
        out.push_back({waiting->home, {ticket, std::move(answer)}});
        tables_.room.remove(ticket);
    }
    for (std::size_t told = 0; told < batch.contradictions; ++told)
        observer_.on_error(StoreError::Constraint);
    if (!batch.events.empty()) observer_.on_events(batch.events);
    // Who stands in line makes no event yet, and who is turned away there may make none.
    if (!batch.events.empty() || batch.lines_moved()) publish_levels();
    if (!batch.contentions.empty()) observer_.on_contentions(batch.contentions);
    if (!batch.notices.empty()) observer_.on_notices(std::move(batch.notices));
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
                             .waiting = tables_.room.count(lock_class),
                             .oldest_waiter_since = tables_.room.oldest_since(lock_class)});
    }
}

}  // namespace fencegate::storage
