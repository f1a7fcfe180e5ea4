#include "storage/memory/memory_store.hpp"

#include <utility>

namespace fencegate::storage::memory {

MemoryStore::MemoryStore(const Clock& clock)
    : clock_(clock),
      wall_(clock.boot_now(), clock.wall_now()),
      leases_(transaction_),
      refusals_(transaction_, leases_),
      elections_(transaction_),
      runs_(transaction_),
      ledger_(transaction_),
      payments_(transaction_, ledger_),
      entries_(transaction_, ledger_),
      answers_(transaction_),
      consumers_(transaction_),
      upkeep_(transaction_, leases_, refusals_, answers_) {}

void MemoryStore::write(const Changes& changes) {
    const auto write = [this](auto& rows, const auto& part) {
        if (transaction_.goes_on()) rows.write(part);
    };
    write(leases_, changes);
    write(refusals_, changes);
    write(elections_, changes);
    write(runs_, changes);
    write(payments_, changes);
    write(ledger_, changes.ledger);
    write(answers_, changes);
    write(consumers_, changes);
    write(upkeep_, changes.upkeep);
}

Store::Commit MemoryStore::commit(std::size_t) {
    Commit made{.wrote = transaction_.log.size() > 0};
    if (made.wrote && planned_ && !transaction_.failure)
        transaction_.failure = std::exchange(planned_, std::nullopt);
    if (!transaction_.failure) transaction_.log.commit();
    return made;
}

void MemoryStore::roll_back() {
    transaction_.failure.reset();
    transaction_.log.roll_back();
}

WallTime MemoryStore::look(BootTime now) {
    wall_.look(now, clock_.wall_now());
    return wall_.at(now);
}

Result<std::unique_ptr<StoreCopy>> MemoryStore::begin_copy(const std::filesystem::path&) {
    return fail(ErrorCode::Internal, "A store in memory cannot be copied into a file.");
}

}  // namespace fencegate::storage::memory
