#include "tests/simulation/shrink.hpp"

namespace fencegate::simulation {
namespace {

// Keeps `smaller` if it fails as well. Which rule it breaks does not matter: any is a bug.
bool keep(Failing& failing, Options smaller) {
    auto verdict = simulate(smaller);
    if (!verdict.broken) return false;
    smaller.steps = verdict.steps;
    failing = {smaller, std::move(verdict)};
    return true;
}

void leave_out_kinds(Failing& failing) {
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
        if (failing.options.without[kind]) continue;
        auto smaller = failing.options;
        smaller.without.set(kind);
        keep(failing, smaller);
    }
}

void leave_out_clients(Failing& failing) {
    for (std::size_t clients = 1; clients <= 4; ++clients) {
        auto smaller = failing.options;
        smaller.clients = clients;
        if (keep(failing, smaller)) return;
    }
}

}  // namespace

Failing shrink(const Options& options, Verdict verdict) {
    Failing failing{options, std::move(verdict)};
    failing.options.is_verbose = false;
    failing.options.steps = failing.verdict.steps;
    leave_out_clients(failing);
    // What is left out changes what else happens: another round may find more to leave out.
    for (std::size_t before = failing.options.steps + 1; failing.options.steps < before;) {
        before = failing.options.steps;
        leave_out_kinds(failing);
    }
    return failing;
}

}  // namespace fencegate::simulation
