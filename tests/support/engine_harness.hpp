#pragma once
// The engine with its thread, on the folder that a StoreHarness has filled.

#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <utility>

namespace fencegate::testing {

// Every look takes a millisecond, so that whatever has a slice of time uses it up at once.
// Thread rule: any thread.
class TickingClock final : public Clock {
public:
    BootTime boot_now() const override { return BootTime(std::chrono::milliseconds(++ticks_)); }
    WallTime wall_now() const override { return WallTime(std::chrono::hours(500'000)); }

private:
    mutable std::atomic<std::int64_t> ticks_ = 1'000;
};

// Closes the store of the harness and opens an engine in its place; at most `queue_max` requests
// queue up.
[[nodiscard]] inline std::unique_ptr<storage::Engine> engine_of(StoreHarness& harness,
                                                                const Clock& clock, Random& random,
                                                                storage::StoreObserver& observer,
                                                                std::size_t queue_max = 4'096) {
    harness.store->close();
    harness.store.reset();
    auto opened =
        storage::open_embedded_engine({.data_dir = harness.folder(),
                                       .classes = lockmgr::LockClasses({{.name = "payments"}}),
                                       .wait_limits = {},
                                       .queue_max = queue_max,
                                       .on_fatal = {}},
                                      clock, random, observer);
    EXPECT_TRUE(opened) << opened.error().detail;
    return *std::move(opened);
}

}  // namespace fencegate::testing
