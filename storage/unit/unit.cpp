#include "storage/unit/unit.hpp"

#include <utility>

namespace fencegate::storage {

Unit::Unit(Store& store, Standing& standing, const Moment& moment)
    : now(moment.now),
      wall(moment.wall),
      hour(moment.hour),
      leases(store.readers().leases, store.readers().refusals),
      answers(store.readers().answers),
      payments(store.readers().payments),
      elections(store.readers().elections),
      runs(store.readers().runs),
      consumers(store.readers().consumers),
      classes(standing.classes),
      random(standing.random),
      live(standing.live),
      room(standing.room),
      ledger(standing.ledger),
      statistics(standing.statistics),
      store_(store),
      readers_(store.readers()) {}

void Unit::write() {
    Changes changes;
    leases.collect(changes);
    answers.collect(changes);
    payments.collect(changes);
    elections.collect(changes);
    runs.collect(changes);
    consumers.collect(changes);
    changes.ledger = ledger.take_changes();
    changes.upkeep = std::exchange(upkeep, {});
    if (!changes.is_empty()) store_.write(changes);
}

void Unit::settle() {
    write();
    store_.settle();
}

const Readers& Unit::flushed() {
    write();
    return readers_;
}

}  // namespace fencegate::storage
