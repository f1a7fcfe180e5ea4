#pragma once
// Shrinking: the same violation with less around it. Fewer steps, then fewer clients, then each
// kind of event left out in turn, as long as it still fails.
// Thread rule: as simulate().

#include "tests/simulation/simulation.hpp"

namespace fencegate::simulation {

struct Failing {
    Options options;
    Verdict verdict;
};

[[nodiscard]] Failing shrink(const Options& options, Verdict verdict);

}  // namespace fencegate::simulation
