#include "storage/commands/event_commands.hpp"

#include "storage/documents/ledger_documents.hpp"

#include <algorithm>
#include <limits>

namespace fencegate::storage {
namespace {

// The longest movement: created, captured in part at once, the rest released.
constexpr int kTransfersPerMovementMax = 4;

Answer document(std::string body) {
    Answer answer;
    answer.body = std::move(body);
    return answer;
}

Answer position_of(const Consumer& consumer) {
    auto answer = document(consumer_document(consumer));
    answer.resource_id = consumer.name;
    return answer;
}

Error not_yours() {
    return {ErrorCode::Forbidden, "Another principal has a consumer of this name.", {}, -1};
}

// Fails with: ConsumerNotFound, Forbidden if it is another principal's.
Result<Consumer> own(Unit& unit, const Command& command, const std::string& name) {
    const auto* consumer = unit.consumers.find(name);
    if (consumer == nullptr)
        return fail(ErrorCode::ConsumerNotFound,
                    "No consumer has this name. PUT a position, 0 at first, to make it.");
    if (consumer->principal != command.principal) return std::unexpected(not_yours());
    return *consumer;
}

}  // namespace

Answer carry_out(Unit& unit, const Command& command, const ReadEvents& read) {
    auto after = read.after;
    if (!read.consumer.empty()) {
        const auto consumer = own(unit, command, read.consumer);
        if (!consumer) return refusal(consumer.error());
        after = consumer->position;
    }
    // One movement more than asked for tells whether there are more, and that the last is whole.
    auto rows = unit.flushed().entries.after(
        after, {{.first = 1, .end = std::numeric_limits<std::int64_t>::max()}},
        (read.limit + 2) * kTransfersPerMovementMax);
    std::vector<JournalEntry> entries;
    auto next_after = after;
    int events = 0;
    bool has_more = false;
    for (auto& entry : rows) {
        if (entry.movement <= after) continue;  // `after` is inside of a movement
        if (entry.movement != next_after) {
            if (events == read.limit) {
                has_more = true;
                break;
            }
            ++events;
            next_after = entry.movement;
        }
        entries.push_back(std::move(entry));
    }
    return document(events_document(entries, next_after, has_more));
}

Answer carry_out(Unit& unit, const Command& command, const ReadConsumer& read) {
    const auto consumer = own(unit, command, read.consumer);
    if (!consumer) return refusal(consumer.error());
    return document(consumer_document(*consumer));
}

Answer carry_out(Unit& unit, const Command& command, const Acknowledge& what) {
    const auto head = unit.ledger.head().id;
    if (what.position > head)
        return refusal({ErrorCode::InvalidArgument,
                        "position must be the id of an event that was read; the newest entry of "
                        "the journal is " +
                            std::to_string(head) + ".",
                        {},
                        -1});
    const auto* known = unit.consumers.find(what.consumer);
    if (known != nullptr && known->principal != command.principal) return refusal(not_yours());
    if (known != nullptr && known->position >= what.position) return position_of(*known);
    if (known == nullptr &&
        unit.flushed().consumers.count_of(command.principal) >= kConsumersPerPrincipalMax)
        return refusal({ErrorCode::QuotaExceeded,
                        "A principal may have 100 consumers. Delete one that is not used any more.",
                        {},
                        -1});
    const Consumer consumer{what.consumer, command.principal, what.position, unit.wall};
    unit.consumers.put(consumer);
    return position_of(consumer);
}

Answer carry_out(Unit& unit, const Command& command, const ForgetConsumer& what) {
    const auto consumer = own(unit, command, what.consumer);
    if (!consumer) return refusal(consumer.error());
    unit.consumers.erase(what.consumer);
    Answer answer;
    answer.resource_id = what.consumer;
    return answer;
}

}  // namespace fencegate::storage
