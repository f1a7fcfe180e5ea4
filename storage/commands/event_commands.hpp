#pragma once
// EventCommands: the outbox. Every movement of the journal is an event; consumers read them by
// place, and may say how far they have come. Nothing is ever taken out: the journal is the outbox,
// so an event exists exactly if what it tells was committed.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/documents/ledger_documents.hpp"
#include "storage/unit/batch.hpp"

#include <optional>

namespace fencegate::storage {

inline constexpr std::int64_t kConsumersPerPrincipalMax = 100;

class EventCommands {
public:
    explicit EventCommands(Tables& tables) : tables_(tables) {}

    [[nodiscard]] Answer read(const Command& command, const ReadEvents& read);
    [[nodiscard]] Answer read(const Command& command, const ReadConsumer& read);
    // Never goes back: a position behind the one that stands changes nothing, and the answer tells
    // which stands.
    [[nodiscard]] Answer acknowledge(const Batch& batch, const Command& command,
                                     const Acknowledge& what);
    [[nodiscard]] Answer forget(const Command& command, const ForgetConsumer& what);

private:
    // Fails with: ConsumerNotFound, Forbidden if it is another principal's.
    [[nodiscard]] Result<Consumer> own(const Command& command, const std::string& name);

    Tables& tables_;
};

}  // namespace fencegate::storage
