#pragma once
// Stamp: when a row was written. `wall` is for people, `hour` for its retention (sweeper.hpp),
// `now` for spans (store_clock.hpp).
// Thread rule: a plain value.

#include "base/clock.hpp"

#include <cstdint>

namespace fencegate::storage {

struct Stamp {
    WallTime wall;
    std::int64_t hour = 0;
    BootTime now{};
};

}  // namespace fencegate::storage
