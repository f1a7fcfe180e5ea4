// fencegate_simulation: runs seeds until one breaks a promise, shrinks that one and says how to see
// it again. Exit code 0: nothing was found, 1: something was, 2: the command line is wrong.
#include "tests/simulation/shrink.hpp"

#include <charconv>
#include <csignal>
#include <cstring>
#include <iostream>
#include <unistd.h>

namespace fencegate::simulation {
namespace {

constexpr const char* kUsage =
    "usage: fencegate_simulation [--seed N | --first N --seeds COUNT] [--engine memory|sqlite]\n"
    "                            [--steps M] [--clients N] [--without KIND,...]\n"
    "                            [--verbose] [--no-shrink] [--tally]\n";

struct Arguments {
    Options options;
    std::uint64_t seeds = 1;
    bool shrinks = true;
    bool tells_tally = false;
};

bool read_number(const char* text, auto& number) {
    const char* end = text + std::strlen(text);
    const auto parsed = std::from_chars(text, end, number);
    return parsed.ec == std::errc{} && parsed.ptr == end;
}

bool read_flag(Arguments& arguments, std::string_view flag) {
    if (flag == "--verbose") return arguments.options.is_verbose = true;
    if (flag == "--tally") return arguments.tells_tally = true;
    if (flag == "--no-shrink") return !(arguments.shrinks = false);
    return false;
}

bool read_option(Arguments& arguments, std::string_view name, const char* value) {
    auto& options = arguments.options;
    if (name == "--seed" || name == "--first") return read_number(value, options.seed);
    if (name == "--seeds") return read_number(value, arguments.seeds);
    if (name == "--steps") return read_number(value, options.steps);
    if (name == "--clients") return read_number(value, options.clients);
    if (name == "--engine") return (options.engine = parse_engine(value)).has_value();
    if (name != "--without") return false;
    const auto kinds = parse_kinds(value);
    if (kinds) options.without = *kinds;
    return kinds.has_value();
}

bool read(Arguments& arguments, int count, char** values) {
    for (int at = 1; at < count; ++at) {
        if (read_flag(arguments, values[at])) continue;
        if (at + 1 >= count || !read_option(arguments, values[at], values[at + 1])) return false;
        ++at;
    }
    return true;
}

// A check of the product may stop the program: then the seed is told on the way out.
std::string last_words;

void tell_seed(int) {
    static_cast<void>(!::write(STDOUT_FILENO, last_words.data(), last_words.size()));
}

void prepare_last_words(const Options& options, std::uint64_t number) {
    last_words = "seed " + std::to_string(options.seed) + " (number " + std::to_string(number) +
                 ") broken: a check of the product's own\nsee it again: " +
                 "build/release/tests/simulation/fencegate_simulation " + arguments(options) + "\n";
}

int run(const Arguments& arguments) {
    constexpr std::uint64_t kProgressEvery = 1'000;
    auto options = arguments.options;
    std::uint64_t hash = 0;
    std::uint64_t in_memory = 0;
    Tally tally;
    for (std::uint64_t at = 0; at < arguments.seeds; ++at, ++options.seed) {
        prepare_last_words(options, at + 1);
        auto verdict = simulate(options);
        if (verdict.broken) {
            std::cout << "seed " << options.seed << " (number " << at + 1 << ") "
                      << report(options, verdict);
            if (!arguments.shrinks) return 1;
            const auto [smaller, why] = shrink(options, std::move(verdict));
            std::cout << "\nshrunk, " << report(smaller, why);
            return 1;
        }
        hash ^= verdict.hash;
        if (engine_of(options) == Engine::Memory) ++in_memory;
        for (const auto& [what, times] : verdict.tally) tally[what] += times;
        if ((at + 1) % kProgressEvery == 0) std::cerr << at + 1 << " seeds\n";
    }
    if (arguments.tells_tally) {
        for (const auto& [what, times] : tally) std::cout << times << "\t" << what << "\n";
    }
    std::cout << arguments.seeds << " seeds from " << arguments.options.seed << ", " << in_memory
              << " of them in memory, " << options.steps << " steps each, nothing broken, hash "
              << std::hex << hash << std::dec << "\n";
    return 0;
}

}  // namespace
}  // namespace fencegate::simulation

int main(int count, char** values) {
    fencegate::simulation::Arguments arguments;
    if (!fencegate::simulation::read(arguments, count, values)) {
        std::cerr << fencegate::simulation::kUsage;
        return 2;
    }
    std::signal(SIGABRT, fencegate::simulation::tell_seed);
    return fencegate::simulation::run(arguments);
}
