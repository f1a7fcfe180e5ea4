#pragma once
// The ids of the payments that fencegate_bench_fill_payments makes: whoever knows how many there
// are can name any of them, without a list. They are as random as those that clients send, so that
// neighbours in time are strangers in the store's tree of payments.
//
// Thread rule: pure functions. Errors: none.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fencegate::bench {

// The step from one state of splitmix64 to its number.
[[nodiscard]] constexpr std::uint64_t splitmix64(std::uint64_t state) {
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

// "pay_" and 32 hex digits, as the store's own ids.
inline void append_filled_id(std::string& out, std::size_t payment) {
    constexpr std::string_view kHex = "0123456789abcdef";
    constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15;
    out += "pay_";
    for (const std::uint64_t half : {1, 2}) {
        const auto bits = splitmix64(kStep * (2 * std::uint64_t{payment} + half));
        for (int shift = 60; shift >= 0; shift -= 4) out += kHex[(bits >> shift) & 15];
    }
}

}  // namespace fencegate::bench
