#pragma once
// How long a test operation may take: one point in time, handed down through every wait it makes.
//
// Thread rule: a value; share freely. Errors: none; whoever waits reports what it waited for.

#include <algorithm>
#include <chrono>

namespace fencegate::testing {

class Deadline {
public:
    explicit Deadline(std::chrono::milliseconds budget)
        : at_(std::chrono::steady_clock::now() + budget) {}

    [[nodiscard]] bool has_passed() const { return std::chrono::steady_clock::now() >= at_; }

    // For poll(2). Rounded up, so that a poll never wakes a moment before the deadline.
    [[nodiscard]] int remaining_ms() const {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(at_ - std::chrono::steady_clock::now());
        return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
    }

private:
    std::chrono::steady_clock::time_point at_;
};

}  // namespace fencegate::testing
