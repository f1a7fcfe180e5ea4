#pragma once
// How long something took, for tests that promise a time. Thread rule: a value. Errors: none.

#include <chrono>

namespace fencegate::testing {

class Stopwatch {
public:
    [[nodiscard]] std::chrono::milliseconds elapsed() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - start_);
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace fencegate::testing
