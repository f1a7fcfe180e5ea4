#pragma once
// JsonWriter: appends compact JSON to a string, placing the commas. Owns: spelling. Refuses to own:
// structure (who opens an object closes it) and encoding (text must be valid UTF-8 already).
// Thread rule: one thread; it only holds a reference to the caller's string.
// Source: RFC 8259. Control characters become \u00XX, everything else stays as it is.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fencegate {

class JsonWriter {
public:
    // Appends to what `out` holds already. REQUIRES: `out` outlives the writer.
    explicit JsonWriter(std::string& out) : out_(&out), start_(out.size()) {}

    JsonWriter& begin_object();
    JsonWriter& end_object();
    JsonWriter& begin_array();
    JsonWriter& end_array();
    JsonWriter& key(std::string_view name);
    JsonWriter& string(std::string_view text);
    JsonWriter& integer(std::int64_t value);
    JsonWriter& boolean(bool value);
    JsonWriter& null();

    // REQUIRES: `json` is one JSON value without blanks around it.
    JsonWriter& raw(std::string_view json);

    JsonWriter& member(std::string_view name, std::string_view text);
    JsonWriter& member(std::string_view name, std::int64_t value);
    // Not an overload of member(): a string literal would sooner become a bool than a string_view.
    JsonWriter& member_bool(std::string_view name, bool value);
    JsonWriter& member(std::string_view name, std::same_as<bool> auto value) = delete;
    // Nothing at all if `json` is empty.
    JsonWriter& member_raw(std::string_view name, std::string_view json);

private:
    void separate();
    void append_quoted(std::string_view text);

    std::string* out_;
    std::size_t start_;  // where this document begins
};

}  // namespace fencegate
