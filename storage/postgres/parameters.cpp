#include "storage/postgres/parameters.hpp"

#include <bit>
#include <utility>

namespace fencegate::storage::postgres {
namespace {

// Big-endian, as everything in the protocol.
template <class Number>
void append(std::string& to, Number value) {
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

std::uint32_t array_of(Type type) noexcept {
    switch (type) {
        case Type::Bytes: return 1001;
        case Type::Integer: return 1016;
        case Type::Text: return 1009;
    }
    std::unreachable();
}

Column::Column(Type type) : type_(type) {}

std::uint32_t Column::type() const noexcept { return array_of(type_); }

void Column::add(std::int64_t value) {
    ++count_;
    append(elements_, std::int32_t{sizeof value});
    append(elements_, value);
}

void Column::add(std::string_view value) { add_bytes(value.data(), value.size()); }

void Column::add(Blob value) { add_bytes(value.data(), value.size()); }

void Column::add_bytes(const void* data, std::size_t size) {
    ++count_;
    append(elements_, static_cast<std::int32_t>(size));
    elements_.append(static_cast<const char*>(data), size);
}

void Column::add_null() {
    ++count_;
    has_null_ = true;
    append(elements_, std::int32_t{-1});
}

std::string Column::bytes() const {
    std::string bytes;
    append(bytes, std::int32_t{1});  // dimensions
    append(bytes, std::int32_t{has_null_});
    append(bytes, std::to_underlying(type_));
    append(bytes, count_);
    append(bytes, std::int32_t{1});  // the first index
    bytes += elements_;
    return bytes;
}

void Parameters::add(std::int64_t value) {
    std::string bytes;
    append(bytes, value);
    add(Type::Integer, std::move(bytes));
}

void Parameters::add(const Column& column) {
    types_.push_back(column.type());
    values_.push_back(column.bytes());
}

void Parameters::add(Type type, std::string bytes) {
    types_.push_back(std::to_underlying(type));
    values_.push_back(std::move(bytes));
}

std::vector<const char*> Parameters::pointers() const {
    std::vector<const char*> pointers;
    for (const auto& value : values_) pointers.push_back(value.data());
    return pointers;
}

std::vector<int> Parameters::lengths() const {
    std::vector<int> lengths;
    for (const auto& value : values_) lengths.push_back(static_cast<int>(value.size()));
    return lengths;
}

}  // namespace fencegate::storage::postgres
