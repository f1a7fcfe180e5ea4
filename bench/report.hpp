#pragma once
// The figures of a run, for people and for programs.
//
// Thread rule: pure functions. Errors: none.

#include "bench/bench_options.hpp"
#include "bench/process_sample.hpp"
#include "bench/tally.hpp"

#include <optional>
#include <string>

namespace fencegate::bench {

struct Figures {
    double seconds = 0;  // from the start of counting to its end
    Tally tally;
    CpuTime client_cpu;
    std::optional<ProcessUse> server;
    std::string cipher;
};

[[nodiscard]] std::string text_report(const BenchOptions& options, const Figures& figures);
// One object on one line. Member names are part of the interface; see bench/README.md.
[[nodiscard]] std::string json_report(const BenchOptions& options, const Figures& figures);

}  // namespace fencegate::bench
