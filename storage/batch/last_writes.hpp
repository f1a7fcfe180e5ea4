#pragma once
// LastWrites: how much of its TTL a live lease had left when a write last passed the fence under
// it. A measurement for whoever sets TTLs; nothing is decided by it.
// It sees committed batches only, so it needs no undo. A restart forgets it.
// Cost: one small entry for each live lease that has written.
// Thread rule: belongs to the store thread.

#include "storage/model/store_events.hpp"

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace fencegate::storage {

class LastWrites {
public:
    // Remembers the accepted writes among `events`, which are in the order of the batch, and tells
    // the ends of leases among them what their last write was.
    void complete(std::vector<StoreEvent>& events);

    [[nodiscard]] std::size_t size() const noexcept { return share_left_.size(); }

private:
    std::unordered_map<lockmgr::FencingToken, double> share_left_;
};

}  // namespace fencegate::storage
