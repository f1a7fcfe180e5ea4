#pragma once
// Randomness that a test can repeat: splitmix64 from a seed.
//
// Thread rule: one source belongs to one thread. Errors: none.

#include "base/random.hpp"

#include <cstdint>
#include <span>

namespace fencegate::testing {

class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed = 1) : state_(seed) {}

    void fill(std::span<std::uint8_t> out) override {
        std::uint64_t word = 0;
        std::size_t left = 0;
        for (auto& byte : out) {
            if (left == 0) {
                word = next();
                left = sizeof word;
            }
            byte = static_cast<std::uint8_t>(word);
            word >>= 8;
            --left;
        }
    }

    [[nodiscard]] std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    // Below `bound`, which is not 0. The bias of the remainder does not matter to a test.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return next() % bound; }

private:
    std::uint64_t state_;
};

}  // namespace fencegate::testing
