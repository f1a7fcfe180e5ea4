#include "tests/simulation/simulation.hpp"

#include "tests/simulation/world.hpp"

namespace fencegate::simulation {

Verdict simulate(const Options& asked) {
    auto options = asked;
    options.engine = engine_of(asked);
    Trace trace(options.is_verbose);
    Verdict verdict;
    try {
        World world(options, trace);
        while (verdict.steps < options.steps) {
            ++verdict.steps;
            world.step();
        }
        world.finish();
    } catch (const Violation& violation) {
        verdict.broken = violation.rule;
        verdict.what = violation.what();
    }
    verdict.hash = trace.hash();
    verdict.last = trace.last();
    verdict.tally = trace.tally();
    return verdict;
}

std::string report(const Options& options, const Verdict& verdict) {
    std::string text = "broken: " + std::string(rule_name(*verdict.broken)) + "\n  " +
                       verdict.what + "\nthe last events:\n";
    for (const auto& line : verdict.last) text += "  " + line + "\n";
    return text + "see it again: build/release/tests/simulation/fencegate_simulation " +
           arguments(options) + "\n";
}

}  // namespace fencegate::simulation
