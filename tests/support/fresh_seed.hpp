#pragma once
// Where a randomised run starts: what the environment asks for, else a number nobody has seen. The
// caller prints it, or the run cannot be repeated.
// Thread rule: a function. Errors: std::runtime_error when the variable is not a number.

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>

namespace fencegate::testing {

// What the environment asks for, else `usual`.
inline std::uint64_t seed_or(const char* variable, std::uint64_t usual) {
    const char* text = std::getenv(variable);
    if (text == nullptr) return usual;
    const char* end = text + std::strlen(text);
    std::uint64_t seed = 0;
    const auto parsed = std::from_chars(text, end, seed);
    if (parsed.ec != std::errc{} || parsed.ptr != end)
        throw std::runtime_error(std::string(variable) + " is not a seed: " + text);
    return seed;
}

inline std::uint64_t fresh_seed(const char* variable) {
    std::random_device device;
    return seed_or(variable, device());  // 32 bits: short to type again
}

}  // namespace fencegate::testing
