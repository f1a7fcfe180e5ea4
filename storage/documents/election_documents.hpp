#pragma once
// The JSON of an election. Thread rule: a pure function.

#include "storage/documents/lock_documents.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fencegate::storage {

struct ElectionView {
    std::string_view election;
    const LeaseView* leader = nullptr;  // nullptr: nobody leads
    std::string_view value_json{};      // what the leader proclaimed; empty: nothing
    std::optional<WallTime> proclaimed_at{};
    std::size_t candidates = 0;  // who wait to lead
};

[[nodiscard]] std::string election_document(const ElectionView& view);

}  // namespace fencegate::storage
