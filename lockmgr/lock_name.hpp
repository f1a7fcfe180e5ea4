#pragma once
// LockName: what is protected, e.g. payments/pay_42. Segments [A-Za-z0-9._~:-]{1,64} joined by '/',
// at most 128 bytes, no "." or ".." segment, compared byte by byte: no folding, no normalising.
// Thread rule: a plain value, immutable. Invariant: every LockName that exists is valid.

#include "base/result.hpp"

#include <compare>
#include <string>
#include <string_view>

namespace fencegate::lockmgr {

inline constexpr std::size_t kLockNameBytesMax = 128;
inline constexpr std::size_t kLockSegmentBytesMax = 64;

class LockName {
public:
    // Fails with: InvalidLockName, saying which rule was broken.
    [[nodiscard]] static Result<LockName> parse(std::string_view text);

    // REQUIRES: `text` was written by value() before (it is checked all the same, and aborts).
    [[nodiscard]] static LockName from_store(std::string_view text);

    [[nodiscard]] const std::string& value() const noexcept { return value_; }

    // The text before the first '/': picks the lock class when none is configured for the name.
    [[nodiscard]] std::string_view first_segment() const noexcept;

    friend auto operator<=>(const LockName&, const LockName&) = default;

private:
    explicit LockName(std::string_view text) : value_(text) {}
    std::string value_;
};

// True for text that may stand as one segment of a lock name (and so as a payment id).
[[nodiscard]] bool is_lock_segment(std::string_view text) noexcept;

// True for text that some lock name may begin with; the empty one included.
[[nodiscard]] bool is_lock_prefix(std::string_view text) noexcept;

}  // namespace fencegate::lockmgr

template <>
struct std::hash<fencegate::lockmgr::LockName> {
    std::size_t operator()(const fencegate::lockmgr::LockName& name) const noexcept {
        return std::hash<std::string>{}(name.value());
    }
};
