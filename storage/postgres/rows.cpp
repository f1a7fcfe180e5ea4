#include "storage/postgres/rows.hpp"

#include <libpq-fe.h>

#include <bit>
#include <charconv>
#include <cstring>

namespace fencegate::storage::postgres {
namespace {

// Big-endian, of 2, 4 or 8 bytes.
std::int64_t number_in(std::string_view bytes) {
    const auto read = [&]<class Number>(Number value) {
        std::memcpy(&value, bytes.data(), sizeof value);
        if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
        return std::int64_t{value};
    };
    if (bytes.size() == sizeof(std::int64_t)) return read(std::int64_t{});
    if (bytes.size() == sizeof(std::int32_t)) return read(std::int32_t{});
    if (bytes.size() == sizeof(std::int16_t)) return read(std::int16_t{});
    return 0;
}

std::int64_t number_spelt(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

void Rows::Clear::operator()(::pg_result* result) const noexcept { ::PQclear(result); }

bool Rows::next() noexcept { return result_ && ++row_ < ::PQntuples(result_.get()); }

std::string_view Rows::text(int column) const {
    return {::PQgetvalue(result_.get(), row_, column),
            static_cast<std::size_t>(::PQgetlength(result_.get(), row_, column))};
}

std::int64_t Rows::integer(int column) const {
    constexpr int kText = 0;
    return ::PQfformat(result_.get(), column) == kText ? number_spelt(text(column))
                                                       : number_in(text(column));
}

Blob Rows::blob(int column) const {
    const auto bytes = text(column);
    return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

// Dimensions, whether there are nulls, the type, then length and first index of the dimension.
std::vector<std::string_view> Rows::texts(int column) const {
    constexpr std::size_t kHeader = 20;
    constexpr std::size_t kLength = sizeof(std::int32_t);
    std::vector<std::string_view> texts;
    auto bytes = text(column);
    if (bytes.size() < kHeader) return texts;
    bytes.remove_prefix(kHeader);
    while (bytes.size() >= kLength) {
        const auto length = static_cast<std::size_t>(number_in(bytes.substr(0, kLength)));
        texts.push_back(bytes.substr(kLength, length));
        bytes.remove_prefix(std::min(bytes.size(), kLength + length));
    }
    return texts;
}

std::optional<lockmgr::FencingToken> Rows::token(int column) const {
    return lockmgr::FencingToken::from_number(integer(column));
}

bool Rows::is_null(int column) const { return ::PQgetisnull(result_.get(), row_, column) != 0; }

}  // namespace fencegate::storage::postgres
