#pragma once
// Two engines that a program of tests runs on: each program has its own list, so that only who
// tests an engine needs what it needs. Thread rule: one thread.

#include "storage/unit/store.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace fencegate::storage {

struct EngineMaker {
    const char* name;
    // A store with nothing in it. `folder` is its own.
    std::unique_ptr<Store> (*make)(const std::filesystem::path& folder, const Clock& clock);
};

// The first needs neither a disk nor a server.
[[nodiscard]] std::span<const EngineMaker> engines();

// How many random operations a run may have, unless it is told; by what they cost.
[[nodiscard]] std::uint64_t random_operations() noexcept;

}  // namespace fencegate::storage
