#include "tests/simulation/trace.hpp"

#include <iostream>

namespace fencegate::simulation {
namespace {

constexpr std::size_t kLinesKept = 32;

}  // namespace

void Trace::add(std::string line) {
    hash(line);
    if (is_verbose_) std::cout << line << '\n';
    if (last_.size() == kLinesKept) last_.pop_front();
    last_.push_back(std::move(line));
}

void Trace::hash(std::string_view bytes) noexcept {
    for (const char byte : bytes) {
        hash_ ^= static_cast<unsigned char>(byte);
        hash_ *= 0x100000001b3;
    }
}

}  // namespace fencegate::simulation
