#pragma once
// How often a randomised test repeats itself: its own number, or what the environment asks for, as
// a long run does. Thread rule: a function. Errors: std::runtime_error when it is not a number.

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

namespace fencegate::testing {

inline std::size_t repetitions(const char* variable, std::size_t usual) {
    const char* text = std::getenv(variable);
    if (text == nullptr) return usual;
    const char* end = text + std::strlen(text);
    std::size_t wanted = 0;
    const auto parsed = std::from_chars(text, end, wanted);
    if (parsed.ec != std::errc{} || parsed.ptr != end || wanted == 0)
        throw std::runtime_error(std::string(variable) + " is not a count: " + text);
    return wanted;
}

}  // namespace fencegate::testing
