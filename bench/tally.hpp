#pragma once
// What one thread counted: latencies of safe refunds, and everything that went otherwise.
//
// Thread rule: one thread's until it has ended, then merged. Errors: none.

#include "bench/histogram.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace fencegate::bench {

enum class Step { Create, Acquire, Refund, Release };

constexpr std::size_t kCycleSteps = 3;  // Acquire, Refund, Release
constexpr std::array<std::string_view, kCycleSteps> kCycleStepNames{"acquire", "refund", "release"};

[[nodiscard]] constexpr std::string_view name_of(Step step) {
    switch (step) {
        case Step::Create: return "create";
        case Step::Acquire: return "acquire";
        case Step::Refund: return "refund";
        case Step::Release: return "release";
    }
    return "unknown";
}

constexpr int kStatusConnectionLost = 0;

struct Tally {
    Histogram cycles;
    std::array<Histogram, kCycleSteps> steps;
    std::int64_t last_counted_ns = 0;
    std::uint64_t contended = 0;   // 423 answers that were tried again
    std::uint64_t unfinished = 0;  // begun, or due, yet not done when the time to drain was over
    std::uint64_t unexpected = 0;
    std::map<std::pair<Step, int>, std::uint64_t> errors;
    std::string first_error;

    void count_error(Step step, int status, std::string_view detail) {
        ++unexpected;
        ++errors[{step, status}];
        if (!first_error.empty()) return;
        first_error = std::string(name_of(step)) + ": " + std::to_string(status) + " ";
        first_error += detail.substr(0, 400);
    }

    void merge(const Tally& other) {
        cycles.merge(other.cycles);
        for (std::size_t i = 0; i < kCycleSteps; ++i) steps[i].merge(other.steps[i]);
        last_counted_ns = std::max(last_counted_ns, other.last_counted_ns);
        contended += other.contended;
        unfinished += other.unfinished;
        unexpected += other.unexpected;
        for (const auto& [what, count] : other.errors) errors[what] += count;
        if (first_error.empty()) first_error = other.first_error;
    }
};

}  // namespace fencegate::bench
