#pragma once
// Consumer: who reads the events, and how far it has come. Thread rule: a plain value.

#include "base/clock.hpp"

#include <cstdint>
#include <string>

namespace fencegate::storage {

struct Consumer {
    std::string name;
    std::string principal;
    std::int64_t position = 0;
    WallTime acknowledged_at{};
};

}  // namespace fencegate::storage
