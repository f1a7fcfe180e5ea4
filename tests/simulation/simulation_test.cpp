// Fresh seeds, half of them in each of two tests so that two cores share the work, and the promise
// that makes a seed worth anything: it gives the same run again.
#include "tests/simulation/shrink.hpp"
#include "tests/support/fresh_seed.hpp"
#include "tests/support/repetitions.hpp"

#include <gtest/gtest.h>

#include <iostream>

namespace fencegate::simulation {
namespace {

constexpr std::size_t kSeedsEach = 2'500;

void run_fresh_seeds(std::uint64_t first) {
    const auto seeds = testing::repetitions("FENCEGATE_SIMULATION_SEEDS", kSeedsEach);
    std::cout << seeds << " seeds from " << first << std::endl;
    std::size_t in_memory = 0;
    Options options{.seed = first};
    for (std::size_t left = seeds; left > 0; --left, ++options.seed) {
        auto verdict = simulate(options);
        if (engine_of(options) == Engine::Memory) ++in_memory;
        if (!verdict.broken) continue;
        const auto why = report(options, verdict);
        const auto [smaller, shrunk] = shrink(options, std::move(verdict));
        FAIL() << "seed " << options.seed << " " << why << "\nshrunk, " << report(smaller, shrunk);
    }
    std::cout << in_memory << " of them in memory, " << seeds - in_memory << " on a disk\n";
}

TEST(Simulation, KeepsEveryPromiseOnFreshSeeds) {
    run_fresh_seeds(testing::fresh_seed("FENCEGATE_SIMULATION_SEED"));
}

TEST(Simulation, KeepsEveryPromiseOnMoreFreshSeeds) {
    run_fresh_seeds(testing::fresh_seed("FENCEGATE_SIMULATION_SEED") + 0x1'0000'0000);
}

TEST(Simulation, RepeatsASeedExactly) {
    for (const auto engine : {Engine::Memory, Engine::Sqlite}) {
        for (std::uint64_t seed = 1; seed <= 10; ++seed) {
            const auto first = simulate({.seed = seed, .engine = engine});
            const auto again = simulate({.seed = seed, .engine = engine});

            ASSERT_EQ(first.hash, again.hash) << engine_name(engine) << ", seed " << seed;
        }
    }
}

// The same seed, without what a disk does and without faults of commits: every answer is the same
// to the byte, restarts and all, so that what holds in memory holds for the file. What is believed
// of a wall clock that was set is kept over a restart by each engine in its way.
TEST(Simulation, IsTheSameRunInMemoryAndOnADisk) {
    const auto without =
        *parse_kinds("reboot,power-cut,disk-error,full-disk,restore,checkpoint,wall-jump");
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const auto in_memory =
            simulate({.seed = seed, .without = without, .engine = Engine::Memory});
        const auto on_disk = simulate({.seed = seed, .without = without, .engine = Engine::Sqlite});

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
