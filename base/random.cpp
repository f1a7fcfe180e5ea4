#include "base/random.hpp"

#include "base/check.hpp"

#include <cerrno>
#include <sys/random.h>
#include <utility>

namespace fencegate {

void SystemRandom::fill(std::span<std::uint8_t> out) {
    while (!out.empty()) {
        const auto got = ::getrandom(out.data(), out.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        FG_CHECK(got > 0);
        out = out.subspan(static_cast<std::size_t>(got));
    }
}

void BufferedRandom::fill(std::span<std::uint8_t> out) {
    for (auto& byte : out) {
        if (used_ == buffer_.size()) {
            source_.fill(buffer_);
            used_ = 0;
        }
        byte = std::exchange(buffer_[used_], 0);  // never handed out twice, never left behind
        ++used_;
    }
}

}  // namespace fencegate
