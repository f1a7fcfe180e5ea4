#pragma once
// CheckpointPace: how far the log may grow before it is copied into the database.
//
// A copy stalls the store. Copying seldom is cheaper, because a page that many commits changed is
// copied once; but in a large store hardly two commits change the same page, so the stall grows
// with the log (bench/README.md). So the log may grow as far as its copy stays short: a little
// further after each short copy, half as far after a long one. What is short depends on the load:
// while batches are small there is time to spare, and stalls are all that a caller waits for.
// Thread rule: a value of one thread.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace fencegate::storage::sqlite {

class CheckpointPace {
public:
    static constexpr std::int64_t kMiB = std::int64_t{1} << 20;
    static constexpr std::int64_t kMax = 64 * kMiB;
    static constexpr std::int64_t kCalmMin = 2 * kMiB;
    static constexpr std::int64_t kBusyMin = 8 * kMiB;
    static constexpr std::chrono::milliseconds kCalmLong{4};
    static constexpr std::chrono::milliseconds kBusyLong{25};
    static constexpr std::size_t kBusyBatch = 4;  // commands a batch, in the mean since the copy

    // A batch that wrote.
    void note_batch(std::size_t commands) noexcept {
        commands_ += commands;
        ++batches_;
    }
    [[nodiscard]] std::int64_t due_bytes() const noexcept {
        return is_busy() ? busy_.due_bytes : calm_.due_bytes;
    }
    // How long the copy took that has just been made.
    void learn(std::chrono::nanoseconds took) noexcept {
        auto& aim = is_busy() ? busy_ : calm_;
        aim.due_bytes = took > aim.too_long ? std::max(aim.min, aim.due_bytes / 2)
                                            : std::min(kMax, aim.due_bytes + aim.min / 4);
        commands_ = 0;
        batches_ = 0;
    }

private:
    struct Aim {
        std::int64_t min;
        std::chrono::milliseconds too_long;
        std::int64_t due_bytes;
    };

    [[nodiscard]] bool is_busy() const noexcept { return commands_ > kBusyBatch * batches_; }

    Aim calm_{.min = kCalmMin, .too_long = kCalmLong, .due_bytes = 4 * kCalmMin};
    Aim busy_{.min = kBusyMin, .too_long = kBusyLong, .due_bytes = kMax};
    std::size_t commands_ = 0;
    std::size_t batches_ = 0;
};

}  // namespace fencegate::storage::sqlite
