#include "lockmgr/lock_name.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace fencegate::lockmgr {
namespace {

bool is_segment_byte(char byte) noexcept {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == '~' ||
           byte == ':' || byte == '-';
}

}  // namespace

bool is_lock_segment(std::string_view text) noexcept {
    if (text.empty() || text.size() > kLockSegmentBytesMax) return false;
    if (text == "." || text == "..") return false;
    return std::ranges::all_of(text, is_segment_byte);
}

bool is_lock_prefix(std::string_view text) noexcept {
    return text.size() <= kLockNameBytesMax && !text.starts_with('/') &&
           std::ranges::all_of(text,
                               [](char byte) { return byte == '/' || is_segment_byte(byte); });
}

Result<LockName> LockName::parse(std::string_view text) {
    if (text.empty()) return fail(ErrorCode::InvalidLockName, "The lock name is empty.");
    if (text.size() > kLockNameBytesMax)
        return fail(ErrorCode::InvalidLockName, "The lock name is longer than 128 bytes.");
    std::size_t from = 0;
    while (from <= text.size()) {
        const auto slash = std::min(text.find('/', from), text.size());
        if (!is_lock_segment(text.substr(from, slash - from))) {
            return fail(ErrorCode::InvalidLockName,
                        "Each segment of a lock name is 1 to 64 of A-Z a-z 0-9 . _ ~ : - and "
                        "neither \".\" nor \"..\"; segments are joined by one \"/\".");
        }
        from = slash + 1;
    }
    return LockName(text);
}

LockName LockName::from_store(std::string_view text) {
    auto name = parse(text);
    FG_CHECK(name.has_value());
    return *std::move(name);
}

std::string_view LockName::first_segment() const noexcept {
    return std::string_view(value_).substr(0, value_.find('/'));
}

}  // namespace fencegate::lockmgr
