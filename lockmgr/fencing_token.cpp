#include "lockmgr/fencing_token.hpp"

#include "base/check.hpp"

#include <charconv>

namespace fencegate::lockmgr {

FencingToken::FencingToken(std::int64_t value) : value_(value) {
    FG_CHECK(value >= 1 && value <= kTokenMax);
}

std::optional<FencingToken> FencingToken::parse(std::string_view text) noexcept {
    constexpr std::size_t kDigitsMax = 16;  // 2^53 has 16
    if (text.empty() || text.size() > kDigitsMax || text.front() < '1' || text.front() > '9')
        return std::nullopt;
    std::int64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc{} || end != text.data() + text.size() || value > kTokenMax)
        return std::nullopt;
    return FencingToken(value);
}

std::optional<FencingToken> FencingToken::from_number(std::int64_t value) noexcept {
    if (value < 1 || value > kTokenMax) return std::nullopt;
    return FencingToken(value);
}

FencingToken FencingToken::compose(std::int64_t epoch, std::int64_t sequence) {
    FG_CHECK(epoch >= 0 && epoch <= kTokenEpochMax);
    FG_CHECK(sequence >= 1 && sequence <= kTokenSequenceMax);
    return FencingToken((epoch << kTokenSequenceBits) + sequence);
}

TokenCounter TokenCounter::next() const noexcept {
    if (sequence < kTokenSequenceMax) return {epoch, sequence + 1};
    return {epoch + 1, 1};
}

}  // namespace fencegate::lockmgr
