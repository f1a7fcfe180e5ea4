#include "tests/simulation/ground.hpp"

#include "tests/simulation/disk_ground.hpp"
#include "tests/simulation/memory_ground.hpp"

#include <utility>

namespace fencegate::simulation {

std::unique_ptr<Ground> make_ground(const Options& options, testing::SeededRandom& random,
                                    Trace& trace, MidCommit mid_commit) {
    if (options.engine == Engine::Memory)
        return std::make_unique<MemoryGround>(random, std::move(mid_commit));
    return std::make_unique<DiskGround>(options, random, trace, std::move(mid_commit));
}

}  // namespace fencegate::simulation
