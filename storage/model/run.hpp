#pragma once
// Run: what is recorded of one job at one scheduled instant. Rules: lockmgr/run_rules.hpp.
// Thread rule: a plain value.

#include "base/clock.hpp"
#include "lockmgr/fencing_token.hpp"
#include "lockmgr/run_rules.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace fencegate::storage {

struct Run {
    std::string job;
    std::string slot;
    lockmgr::RunState state = lockmgr::RunState::Claimed;
    std::int64_t attempts = 0;                     // claims so far
    std::optional<lockmgr::FencingToken> token{};  // of the last claim; nullopt: never claimed
    std::optional<WallTime> claimed_at{};          // for people, as is the next
    std::optional<WallTime> ended_at{};
    std::string result{};
};

}  // namespace fencegate::storage
