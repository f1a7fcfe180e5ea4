#pragma once
// Randomness as a seam: the kernel's generator in production, a seeded one in tests.
// Thread rule: SystemRandom may be called from any thread; a seeded source belongs to one thread.
// Errors: SystemRandom aborts if the kernel cannot deliver; there is no safe way on.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace fencegate {

class Random {
public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;
};

class SystemRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> out) override;
};

// Draws 4 KiB at a time, so that an id does not cost a system call. Belongs to one thread.
class BufferedRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> out) override;

private:
    SystemRandom source_;
    std::array<std::uint8_t, 4096> buffer_{};
    std::size_t used_ = buffer_.size();
};

}  // namespace fencegate
