#pragma once
// RefusedWrite: one write that the fence refused, as the history of the lease shows it whose token
// was presented. Thread rule: a plain value.

#include "base/clock.hpp"
#include "lockmgr/fencing_token.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace fencegate::storage {

struct RefusedWrite {
    WallTime at{};
    std::string principal{};  // who asked; it need not be the lease's
    std::string code{};
    std::string route{};
    std::string request_id{};
    std::int64_t late_ms = 0;  // since the lease had ended; 0: it was live
    // Who held the lock then; nullopt: nobody.
    std::optional<lockmgr::FencingToken> current_token{};
    std::string current_owner{};
};

}  // namespace fencegate::storage
