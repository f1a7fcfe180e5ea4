#pragma once
// One run of one seed, from nothing to the verdict. The same options give the same run, always.
// Thread rule: one run at a time in a process. Errors: a broken promise is in the verdict.

#include "tests/simulation/options.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/simulation/violation.hpp"

#include <deque>
#include <optional>
#include <string>

namespace fencegate::simulation {

struct Verdict {
    std::uint64_t hash = 0;  // of everything that happened
    std::size_t steps = 0;   // that were made, the violating one included
    std::optional<Rule> broken;
    std::string what;
    std::deque<std::string> last;  // events
    Tally tally;                   // answers and faults, by name
};

[[nodiscard]] Verdict simulate(const Options& options);

// For people: the rule, the last events, how to see it again.
[[nodiscard]] std::string report(const Options& options, const Verdict& verdict);

}  // namespace fencegate::simulation
