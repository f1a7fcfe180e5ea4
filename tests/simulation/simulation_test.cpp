// Fresh seeds, half of them in each of two tests so that two cores share the work, and the promise
// that makes a seed worth anything: it gives the same run again.
#include "tests/simulation/shrink.hpp"
#include "tests/support/fresh_seed.hpp"
#include "tests/support/repetitions.hpp"

#include <gtest/gtest.h>

#include <iostream>

namespace fencegate::simulation {
namespace {

constexpr std::size_t kSeedsEach = 1'000;

void run_fresh_seeds(std::uint64_t first) {
    const auto seeds = testing::repetitions("FENCEGATE_SIMULATION_SEEDS", kSeedsEach);
    std::cout << seeds << " seeds from " << first << "\n";
    Options options{.seed = first};
    for (std::size_t left = seeds; left > 0; --left, ++options.seed) {
        auto verdict = simulate(options);
        if (!verdict.broken) continue;
        const auto why = report(options, verdict);
        const auto [smaller, shrunk] = shrink(options, std::move(verdict));
        FAIL() << "seed " << options.seed << " " << why << "\nshrunk, " << report(smaller, shrunk);
    }
}

TEST(Simulation, KeepsEveryPromiseOnFreshSeeds) {
    run_fresh_seeds(testing::fresh_seed("FENCEGATE_SIMULATION_SEED"));
}

TEST(Simulation, KeepsEveryPromiseOnMoreFreshSeeds) {
    run_fresh_seeds(testing::fresh_seed("FENCEGATE_SIMULATION_SEED") + 0x1'0000'0000);
}

TEST(Simulation, RepeatsASeedExactly) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const auto first = simulate({.seed = seed});
        const auto again = simulate({.seed = seed});

        ASSERT_EQ(first.hash, again.hash) << "seed " << seed;
    }
}

// What only a disk does left out, and when it is full or fails: every answer is the same to the
// byte, restarts and all. So what is found in memory holds for the file.
TEST(Simulation, IsTheSameRunInMemoryAndOnADisk) {
    const auto without = *parse_kinds("reboot,power-cut,disk-error,full-disk,restore,checkpoint");
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Options options{.seed = seed, .without = without};
        options.engine = Engine::Memory;
        const auto in_memory = simulate(options);
        options.engine = Engine::Sqlite;
        const auto on_disk = simulate(options);

        ASSERT_EQ(in_memory.hash, on_disk.hash) << "seed " << seed;
    }
}

TEST(Simulation, IsAnotherRunForAnotherSeed) {
    EXPECT_NE(simulate({.seed = 1}).hash, simulate({.seed = 2}).hash);
}

// A run in which nothing happens proves nothing.
TEST(Simulation, MeetsEveryRefusalAndEveryFault) {
    Tally tally;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        for (const auto& [what, times] : simulate({.seed = seed}).tally) tally[what] += times;
    }

    for (const char* what : {"acquire: ok",
                             "acquire: lock_held",
                             "acquire: ok replayed",
                             "acquire: queue_full",
                             "acquire: store_full",
                             "acquire: lock_mode_conflict",
                             "acquire: quota_exceeded",
                             "acquire: run_done",
                             "acquire: run_missed",
                             "acquire: run_not_due",
                             "wait: ok",
                             "wait: lock_held",
                             "wait: request_timeout",
                             "place: taken up",
                             "move: ok",
                             "move: ok replayed",
                             "move: ok released",
                             "move: ok replayed released",
                             "proclaim: ok released",
                             "finish: ok released",
                             "move: fence_token_stale",
                             "move: lease_expired",
                             "move: lease_released",
                             "move: lease_broken",
                             "move: fence_token_unknown",
                             "move: fence_lock_mismatch",
                             "move: fence_not_holder",
                             "move: fence_token_required",
                             "move: fence_token_malformed",
                             "move: idempotency_mismatch",
                             "move: refund_exceeds_captured",
                             "renew: ok",
                             "renew: lease_expired",
                             "renew: max_hold_reached",
                             "finish: ok",
                             "finish: lease_expired",
                             "proclaim: ok",
                             "proclaim: lease_expired",
                             "resign: ok",
                             "release: ok",
                             "break: ok",
                             "fault: death",
                             "fault: hanging commit",
                             "fault: stall",
                             "fault: power cut",
                             "fault: outcome unknown",
                             "fault: restore"}) {
        EXPECT_GT(tally[what], 5U) << what;
    }
}

}  // namespace
}  // namespace fencegate::simulation
