#include "storage/money/money.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace fencegate::storage {
namespace {

constexpr auto kLowest = std::numeric_limits<std::int64_t>::min();
constexpr auto kHighest = std::numeric_limits<std::int64_t>::max();
__extension__ using Wide = __int128;  // holds every sum of two std::int64_t

std::vector<std::string> every_code() {
    std::vector<std::string> codes;
    for (char first = 'A'; first <= 'Z'; ++first) {
        for (char second = 'A'; second <= 'Z'; ++second) {
            for (char third = 'A'; third <= 'Z'; ++third) {
                codes.push_back({first, second, third});
            }
        }
    }
    return codes;
}

// Near the edges half of the time: that is where sums wrap.
std::int64_t any_amount(std::mt19937_64& random) {
    const auto bits = static_cast<std::int64_t>(random());
    switch (random() % 4) {
        case 0: return kHighest - (bits & 0xff);
        case 1: return kLowest + (bits & 0xff);
        default: return bits;
    }
}

TEST(Money, KnowsTheExponentsOfIso4217) {
    for (const auto& [code, exponent] : std::vector<std::pair<std::string, int>>{
             {"EUR", 2}, {"USD", 2}, {"GBP", 2}, {"CHF", 2}, {"HUF", 2}, {"MGA", 2}, {"MRU", 2},
             {"JPY", 0}, {"KRW", 0}, {"ISK", 0}, {"CLP", 0}, {"VND", 0}, {"XOF", 0}, {"XAF", 0},
             {"BHD", 3}, {"IQD", 3}, {"JOD", 3}, {"KWD", 3}, {"LYD", 3}, {"OMR", 3}, {"TND", 3},
             {"CLF", 4}, {"UYW", 4}, {"AED", 2}, {"ZWG", 2}}) {
        const auto* currency = find_currency(code);
        ASSERT_NE(currency, nullptr) << code;
        EXPECT_EQ(currency->code(), code);
        EXPECT_EQ(currency->exponent, exponent) << code;
    }
}

TEST(Money, FindsExactlyTheCodesOfTheTable) {
    int found = 0;
    for (const auto& code : every_code()) {
        const auto* currency = find_currency(code);
        if (currency == nullptr) continue;
        ++found;
        EXPECT_EQ(currency->code(), code);
        EXPECT_TRUE(currency->exponent == 0 ||
                    (currency->exponent >= 2 && currency->exponent <= 4));
    }

    EXPECT_EQ(found, 157);
}

TEST(Money, RefusesWhatIsNotAnActiveCurrency) {
    for (const char* code :
         {"",    "E",   "EU",  "EURO", "eur", "Eur", " EUR", "EUR ", "XXX", "XTS",
          "XAU", "XDR", "CHE", "USN",  "MXV", "COU", "DEM",  "HRK",  "AAA", "ZZZ"}) {
        EXPECT_EQ(find_currency(code), nullptr) << code;
    }
}

TEST(Money, SumsAndDifferencesNeverWrap) {
    std::mt19937_64 random(20260719);
    for (int round = 0; round < 200'000; ++round) {
        const auto left = any_amount(random);
        const auto right = any_amount(random);
        const Wide sum = Wide{left} + right;
        const Wide difference = Wide{left} - right;

        const auto checked_sum = checked_add(left, right);
        const auto checked_difference = checked_sub(left, right);

        ASSERT_EQ(checked_sum.has_value(), sum >= kLowest && sum <= kHighest);
        ASSERT_TRUE(!checked_sum || *checked_sum == sum);
        ASSERT_EQ(checked_difference.has_value(), difference >= kLowest && difference <= kHighest);
        ASSERT_TRUE(!checked_difference || *checked_difference == difference);
    }
}

TEST(Money, RefusesSumsOnePastTheEdge) {
    EXPECT_EQ(checked_add(kHighest - 1, 1), kHighest);
    EXPECT_EQ(checked_add(kHighest, 1), std::nullopt);
    EXPECT_EQ(checked_sub(kLowest + 1, 1), kLowest);
    EXPECT_EQ(checked_sub(kLowest, 1), std::nullopt);
    EXPECT_EQ(checked_sub(0, kLowest), std::nullopt);
}

TEST(Money, TheLargestAmountSurvivesADouble) {
    const auto as_double = static_cast<double>(kAmountMinorMax);

    EXPECT_EQ(static_cast<std::int64_t>(as_double), kAmountMinorMax);
    EXPECT_NE(static_cast<double>(kAmountMinorMax - 1), as_double);
}

TEST(Money, FormatsAmountsExactly) {
    for (const auto& [minor, code, text] :
         std::vector<std::tuple<std::int64_t, std::string, std::string>>{
             {12345, "EUR", "123.45"},
             {0, "EUR", "0.00"},
             {5, "EUR", "0.05"},
             {100, "EUR", "1.00"},
             {-5, "EUR", "-0.05"},
             {-12345, "EUR", "-123.45"},
             {5, "KWD", "0.005"},
             {1000, "KWD", "1.000"},
             {7, "CLF", "0.0007"},
             {0, "JPY", "0"},
             {500, "JPY", "500"},
             {-7, "JPY", "-7"},
             {kAmountMinorMax, "USD", "90071992547409.91"},
             {kHighest, "USD", "92233720368547758.07"},
             {kLowest, "USD", "-92233720368547758.08"},
         }) {
        EXPECT_EQ(format_amount(minor, *find_currency(code)), text);
    }
}

TEST(Money, FormattedAmountsReadBackToTheSameMinorUnits) {
    std::mt19937_64 random(4217);
    for (const char* code : {"JPY", "EUR", "KWD", "CLF"}) {
        for (int round = 0; round < 10'000; ++round) {
            const auto minor = static_cast<std::int64_t>(random() >> 1) >> (random() % 63);

            auto text = format_amount(minor, *find_currency(code));
            std::erase(text, '.');

            ASSERT_EQ(std::stoll(text), minor);
        }
    }
}

}  // namespace
}  // namespace fencegate::storage
