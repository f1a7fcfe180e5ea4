#pragma once
// Parameters: values of one statement in PostgreSQL's binary format, in order, and Columns of them
// for a statement that writes many rows at once. Arrays are what unnest() takes.
// Owns copies of everything. Thread rule: plain values.
// Source: PostgreSQL 15, src/include/catalog/pg_type.dat for the numbers of types,
// src/backend/utils/adt/arrayfuncs.c (array_recv) for the form of an array.

#include "lockmgr/fencing_token.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage::postgres {

using Blob = std::span<const std::uint8_t>;

enum class Type : std::uint32_t { Bytes = 17, Integer = 20, Text = 25 };
[[nodiscard]] std::uint32_t array_of(Type type) noexcept;

// The values of one column of many rows.
class Column {
public:
    explicit Column(Type type);

    void add(std::int64_t value);
    void add(std::string_view value);
    void add(Blob value);
    void add(lockmgr::FencingToken value) { add(value.value()); }
    template <class T>
    void add(const std::optional<T>& value) {
        value ? add(*value) : add_null();
    }
    void add_null();

    [[nodiscard]] bool is_empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::uint32_t type() const noexcept;
    [[nodiscard]] std::string bytes() const;

private:
    void add_bytes(const void* data, std::size_t size);

    Type type_;
    std::uint32_t count_ = 0;
    bool has_null_ = false;
    std::string elements_;
};

struct Integers : Column {
    Integers() : Column(Type::Integer) {}
};
struct Texts : Column {
    Texts() : Column(Type::Text) {}
};
struct Bytes : Column {
    Bytes() : Column(Type::Bytes) {}
};

class Parameters {
public:
    template <class... Values>
    [[nodiscard]] static Parameters of(const Values&... values) {
        Parameters parameters;
        (parameters.add(values), ...);
        return parameters;
    }

    [[nodiscard]] int count() const noexcept { return static_cast<int>(values_.size()); }
    [[nodiscard]] const std::vector<std::uint32_t>& types() const noexcept { return types_; }
    [[nodiscard]] std::vector<const char*> pointers() const;
    [[nodiscard]] std::vector<int> lengths() const;

private:
    void add(std::int64_t value);
    void add(std::string_view value) { add(Type::Text, std::string(value)); }
    void add(const std::string& value) { add(Type::Text, value); }
    void add(Blob value) { add(Type::Bytes, std::string(value.begin(), value.end())); }
    void add(lockmgr::FencingToken value) { add(value.value()); }
    void add(const Column& column);
    void add(Type type, std::string bytes);

    std::vector<std::uint32_t> types_;
    std::vector<std::string> values_;
};

}  // namespace fencegate::storage::postgres
