#pragma once
// FencingToken: the number that makes a lock safe. One counter for the whole store,
// token = epoch * 2^43 + sequence, so a token names exactly one lease and never repeats:
// a restore raises the epoch, everything else raises the sequence.
// Thread rule: plain values.
// Invariant: 1 <= token < 2^53, so that every JSON parser keeps it exactly.
// Source: Kleppmann, "How to do distributed locking" (2016); epoch as in HDFS QJM and Lettuce.

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace fencegate::lockmgr {

inline constexpr std::int64_t kTokenSequenceBits = 43;
inline constexpr std::int64_t kTokenSequenceMax = (std::int64_t{1} << kTokenSequenceBits) - 1;
inline constexpr std::int64_t kTokenEpochMax = (std::int64_t{1} << 10) - 1;
inline constexpr std::int64_t kTokenMax = (std::int64_t{1} << 53) - 1;

class FencingToken {
public:
    // REQUIRES: 1 <= value <= kTokenMax.
    explicit FencingToken(std::int64_t value);

    // Exactly [1-9][0-9]{0,15} and at most kTokenMax; anything else is nullopt. No sign, no blank,
    // no leading zero: two spellings of one token would be two tokens to somebody.
    [[nodiscard]] static std::optional<FencingToken> parse(std::string_view text) noexcept;

    // A number from a row or a cursor: nullopt unless 1 <= value <= kTokenMax.
    [[nodiscard]] static std::optional<FencingToken> from_number(std::int64_t value) noexcept;

    // REQUIRES: 0 <= epoch <= kTokenEpochMax, 1 <= sequence <= kTokenSequenceMax.
    [[nodiscard]] static FencingToken compose(std::int64_t epoch, std::int64_t sequence);

    [[nodiscard]] std::int64_t value() const noexcept { return value_; }

    friend auto operator<=>(const FencingToken&, const FencingToken&) = default;

private:
    std::int64_t value_;
};

// How far the tokens of a store have come.
struct TokenCounter {
    std::int64_t epoch = 0;
    std::int64_t sequence = 0;  // 0: none was issued in this epoch

    // The sequence rolls over into the epoch. After 2^53 the epoch is beyond kTokenEpochMax, and
    // there is no next token.
    [[nodiscard]] TokenCounter next() const noexcept;
};

}  // namespace fencegate::lockmgr

template <>
struct std::hash<fencegate::lockmgr::FencingToken> {
    std::size_t operator()(const fencegate::lockmgr::FencingToken& token) const noexcept {
        return std::hash<std::int64_t>{}(token.value());
    }
};
