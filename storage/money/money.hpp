#pragma once
// Money: integer minor units with an ISO 4217 currency; no floating point anywhere.
// Owns: which currencies exist, how many decimals each has, sums that cannot wrap, exact text.
// Refuses to own: conversion and rounding, which this gateway never does.
// Thread rule: plain values and immutable tables.
// Errors: nullptr or nullopt; the caller knows which refusal it is.
// Source: ISO 4217 list one as of 2026 (BGN, ANG, HRK, CUC gone; XCG, ZWG, SLE in). Left out:
// funds, metals, units of account and test codes, except CLF and UYW, in which contracts are really
// paid.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fencegate::storage {

// The largest amount of a new payment: twelve digits, as ISO 8583's field 4. The sums of a currency
// have 63 bits for ever (the journal only grows); this leaves room for nine million of the largest.
inline constexpr std::int64_t kPaymentMinorMax = 999'999'999'999;
// The largest amount anywhere: 2^53 - 1 minor units, so that every JSON parser keeps it.
inline constexpr std::int64_t kAmountMinorMax = (std::int64_t{1} << 53) - 1;

struct Currency {
    std::array<char, 3> letters{};
    int exponent = 2;  // decimals: one unit is 10^exponent minor units

    [[nodiscard]] constexpr std::string_view code() const noexcept {
        return {letters.data(), letters.size()};
    }
};

// The active currency of that code, upper case exactly; nullptr if there is none. The pointer is
// good for the life of the program.
[[nodiscard]] const Currency* find_currency(std::string_view code) noexcept;

// The exact sum or difference; nullopt where std::int64_t cannot hold it.
[[nodiscard]] constexpr std::optional<std::int64_t> checked_add(std::int64_t left,
                                                                std::int64_t right) noexcept {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(left, right, &sum)) return std::nullopt;
    return sum;
}

[[nodiscard]] constexpr std::optional<std::int64_t> checked_sub(std::int64_t left,
                                                                std::int64_t right) noexcept {
    std::int64_t difference = 0;
    if (__builtin_sub_overflow(left, right, &difference)) return std::nullopt;
    return difference;
}

// The exact decimal text in major units, e.g. 12345 EUR is "123.45", 5 KWD is "0.005", -7 JPY "-7".
[[nodiscard]] std::string format_amount(std::int64_t amount_minor, const Currency& currency);

}  // namespace fencegate::storage
