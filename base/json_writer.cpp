#include "base/json_writer.hpp"

#include "base/hex.hpp"

#include <array>
#include <charconv>

namespace fencegate {
namespace {

constexpr auto kNeedsEscape = [] {
    std::array<bool, 256> table{};
    for (std::size_t byte = 0; byte < 0x20; ++byte) table[byte] = true;
    table['"'] = true;
    table['\\'] = true;
    return table;
}();

void append_escape(std::string& out, char byte) {
    out.push_back('\\');
    if (byte == '"' || byte == '\\') {
        out.push_back(byte);
        return;
    }
    out.append("u00");
    append_hex(out, static_cast<std::uint8_t>(byte));
}

}  // namespace

// No value ends in '{', '[' or ':', so the last byte alone says whether a value stands before this
// one. That spares a stack of open containers.
void JsonWriter::separate() {
    if (out_->size() == start_) return;
    const char last = out_->back();
    if (last != '{' && last != '[' && last != ':') out_->push_back(',');
}

void JsonWriter::append_quoted(std::string_view text) {
    out_->push_back('"');
    std::size_t run = 0;  // where the plain bytes not yet copied begin
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (!kNeedsEscape[static_cast<unsigned char>(text[at])]) continue;
        out_->append(text, run, at - run);
        append_escape(*out_, text[at]);
        run = at + 1;
    }
    out_->append(text, run);
    out_->push_back('"');
}

JsonWriter& JsonWriter::begin_object() { return raw("{"); }

JsonWriter& JsonWriter::begin_array() { return raw("["); }

JsonWriter& JsonWriter::end_object() {
    out_->push_back('}');
    return *this;
}

JsonWriter& JsonWriter::end_array() {
    out_->push_back(']');
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    string(name);
    out_->push_back(':');
    return *this;
}

JsonWriter& JsonWriter::string(std::string_view text) {
    separate();
    append_quoted(text);
    return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
    std::array<char, 20> digits;  // -9223372036854775808
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    return raw({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

JsonWriter& JsonWriter::boolean(bool value) { return raw(value ? "true" : "false"); }

JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::raw(std::string_view json) {
    separate();
    out_->append(json);
    return *this;
}

JsonWriter& JsonWriter::member(std::string_view name, std::string_view text) {
    return key(name).string(text);
}

JsonWriter& JsonWriter::member(std::string_view name, std::int64_t value) {
    return key(name).integer(value);
}

JsonWriter& JsonWriter::member_raw(std::string_view name, std::string_view json) {
    return json.empty() ? *this : key(name).raw(json);
}

JsonWriter& JsonWriter::member_bool(std::string_view name, bool value) {
    return key(name).boolean(value);
}

}  // namespace fencegate
