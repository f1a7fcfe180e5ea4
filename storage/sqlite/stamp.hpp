#pragma once
// Stamp: when a row was written. `wall` is for people; `hour` is for its retention (sweeper.hpp).
// Thread rule: a plain value.

#include "base/clock.hpp"

#include <cstdint>

namespace fencegate::storage::sqlite {

struct Stamp {
    WallTime wall;
    std::int64_t hour = 0;
};

}  // namespace fencegate::storage::sqlite
