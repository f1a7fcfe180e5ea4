#include "storage/money/money.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace fencegate::storage {
namespace {

// Code and exponent, in the order of the codes. XAF, XOF, XPF, XCD and XCG are the notes and coins
// of monetary unions, not units of account.
constexpr std::string_view kTable =
    "AED2 AFN2 ALL2 AMD2 AOA2 ARS2 AUD2 AWG2 AZN2 BAM2 BBD2 BDT2 BHD3 BIF0 "
    "BMD2 BND2 BOB2 BRL2 BSD2 BTN2 BWP2 BYN2 BZD2 CAD2 CDF2 CHF2 CLF4 CLP0 "
    "CNY2 COP2 CRC2 CUP2 CVE2 CZK2 DJF0 DKK2 DOP2 DZD2 EGP2 ERN2 ETB2 EUR2 "
    "FJD2 FKP2 GBP2 GEL2 GHS2 GIP2 GMD2 GNF0 GTQ2 GYD2 HKD2 HNL2 HTG2 HUF2 "
    "IDR2 ILS2 INR2 IQD3 IRR2 ISK0 JMD2 JOD3 JPY0 KES2 KGS2 KHR2 KMF0 KPW2 "
    "KRW0 KWD3 KYD2 KZT2 LAK2 LBP2 LKR2 LRD2 LSL2 LYD3 MAD2 MDL2 MGA2 MKD2 "
    "MMK2 MNT2 MOP2 MRU2 MUR2 MVR2 MWK2 MXN2 MYR2 MZN2 NAD2 NGN2 NIO2 NOK2 "
    "NPR2 NZD2 OMR3 PAB2 PEN2 PGK2 PHP2 PKR2 PLN2 PYG0 QAR2 RON2 RSD2 RUB2 "
    "RWF0 SAR2 SBD2 SCR2 SDG2 SEK2 SGD2 SHP2 SLE2 SOS2 SRD2 SSP2 STN2 SVC2 "
    "SYP2 SZL2 THB2 TJS2 TMT2 TND3 TOP2 TRY2 TTD2 TWD2 TZS2 UAH2 UGX0 USD2 "
    "UYU2 UYW4 UZS2 VED2 VES2 VND0 VUV0 WST2 XAF0 XCD2 XCG2 XOF0 XPF0 YER2 "
    "ZAR2 ZMW2 ZWG2 ";
constexpr std::size_t kRowBytes = 5;  // three letters, a digit, a blank
constexpr std::size_t kCurrencies = kTable.size() / kRowBytes;
static_assert(kTable.size() % kRowBytes == 0);

constexpr auto kByCode = [] {
    std::array<Currency, kCurrencies> currencies{};
    for (std::size_t at = 0; at < kCurrencies; ++at) {
        const auto row = kTable.substr(at * kRowBytes, kRowBytes);
        currencies[at] = {.letters = {row[0], row[1], row[2]}, .exponent = row[3] - '0'};
    }
    return currencies;
}();
static_assert(std::ranges::adjacent_find(kByCode, std::ranges::greater_equal{}, &Currency::code) ==
                  kByCode.end(),
              "the binary search needs strictly rising codes");

}  // namespace

const Currency* find_currency(std::string_view code) noexcept {
    const auto at = std::ranges::lower_bound(kByCode, code, std::ranges::less{}, &Currency::code);
    return at != kByCode.end() && at->code() == code ? &*at : nullptr;
}

std::string format_amount(std::int64_t amount_minor, const Currency& currency) {
    // Negating the smallest std::int64_t overflows; in unsigned arithmetic the magnitude is exact.
    const bool is_negative = amount_minor < 0;
    const auto bits = static_cast<std::uint64_t>(amount_minor);
    auto text = std::to_string(is_negative ? 0 - bits : bits);

    const auto decimals = static_cast<std::size_t>(currency.exponent);
    if (decimals > 0) {
        if (text.size() <= decimals) text.insert(0, decimals + 1 - text.size(), '0');
        text.insert(text.size() - decimals, 1, '.');
    }
    if (is_negative) text.insert(0, 1, '-');
    return text;
}

}  // namespace fencegate::storage
