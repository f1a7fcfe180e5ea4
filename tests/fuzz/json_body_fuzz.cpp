// Feeds any bytes to the strict JSON reader. What it accepts, boost::json must accept and read the
// same; what boost::json accepts and the rules allow, it must accept when written out plainly.
#include "proxy/json/json_body.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

namespace json = boost::json;
using fencegate::ErrorCode;
using fencegate::proxy::JsonBody;

constexpr std::array<std::string_view, 6> kNames{"a", "n", "s", "b", "o", "locks"};

void require(bool condition) {
    if (!condition) std::abort();
}

bool is_text_list(const json::value& value) {
    return value.is_array() && std::ranges::all_of(value.get_array(), [](const json::value& item) {
               return item.is_string();
           });
}

template <class T>
void require_wrong_type(const fencegate::Result<T>& got) {
    require(!got && got.error().code == ErrorCode::InvalidArgument);
}

void check_list(const JsonBody& body, std::string_view name, const json::value& value) {
    const auto list = body.text_list(name);
    if (!is_text_list(value)) return require_wrong_type(list);
    require(list && *list && (*list)->size() == value.get_array().size());
    for (std::size_t at = 0; at < (*list)->size(); ++at)
        require((**list)[at] == std::string_view(value.get_array()[at].get_string()));
}

void check_member(const JsonBody& body, std::string_view name, const json::value& value) {
    const auto integer = body.integer(name);
    const auto boolean = body.boolean(name);
    const auto text = body.text(name);
    const auto object = body.object(name);
    require(!value.is_double() && !value.is_uint64());
    if (!value.is_int64()) require_wrong_type(integer);
    if (!value.is_bool()) require_wrong_type(boolean);
    if (!value.is_string()) require_wrong_type(text);
    if (!value.is_object()) require_wrong_type(object);
    if (value.is_int64()) require(integer && *integer == value.get_int64());
    if (value.is_bool()) require(boolean && *boolean == value.get_bool());
    if (value.is_string()) require(text && *text == std::string_view(value.get_string()));
    if (value.is_object()) require(object && *object && json::parse(**object) == value);
    check_list(body, name, value);
}

void check_absent(const JsonBody& body, std::string_view name) {
    const auto integer = body.integer(name);
    const auto object = body.object(name);
    require(integer && !*integer && object && !*object);
}

// What the reader may refuse although it is JSON. Duplicates are gone once there is a tree.
bool is_allowed(const json::value& value, int depth) {
    constexpr int kDepthMax = 8;
    if (value.is_double() || value.is_uint64()) return false;
    if (value.is_string()) return value.get_string().find('\0') == std::string_view::npos;
    if (value.is_array())
        return depth < kDepthMax &&
               std::ranges::all_of(value.get_array(), [depth](const json::value& item) {
                   return is_allowed(item, depth + 1);
               });
    if (!value.is_object()) return true;
    return depth < kDepthMax && value.get_object().size() <= 128 &&
           std::ranges::all_of(value.get_object(), [depth](const json::key_value_pair& member) {
               return member.key().size() <= 256 &&
                      member.key().find('\0') == std::string_view::npos &&
                      is_allowed(member.value(), depth + 1);
           });
}

bool is_allowed_body(const json::value& value) {
    return value.is_object() && is_allowed(value, 0) &&
           std::ranges::all_of(value.get_object(), [](const json::key_value_pair& member) {
               return std::ranges::find(kNames, std::string_view(member.key())) != kNames.end();
           });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto body = JsonBody::parse(bytes, kNames);
    json::error_code ec;
    const auto tree = json::parse(bytes, ec);
    if (body && !bytes.empty()) {
        require(!ec && tree.is_object());
        for (const auto name : kNames) {
            const auto* value = tree.get_object().if_contains(name);
            value == nullptr ? check_absent(*body, name) : check_member(*body, name, *value);
        }
    }
    if (!body) require(body.error().code == ErrorCode::InvalidJson);
    // Written out again without duplicates, an allowed body has nothing left to be refused for.
    if (!ec && is_allowed_body(tree))
        require(JsonBody::parse(json::serialize(tree), kNames).has_value());
    return 0;
}
