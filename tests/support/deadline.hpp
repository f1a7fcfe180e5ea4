#pragma once
// How long a test operation may take: one point in time, handed down through every wait it makes.
//
// Thread rule: a value; share freely. Errors: none of a Deadline; whoever waits reports what it
// waited for. await() throws std::runtime_error.

#include <algorithm>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

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

// Asks again and again until it is so.
inline void await(std::string_view what, const std::function<bool()>& is_so,
                  std::chrono::milliseconds patience = std::chrono::seconds(10)) {
    const Deadline deadline(patience);
    while (!is_so())
        if (deadline.has_passed()) throw std::runtime_error("never came: " + std::string(what));
}

}  // namespace fencegate::testing
