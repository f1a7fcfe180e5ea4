#pragma once
// JsonBody: a request body as the members a route allows, read strictly and without a JSON tree.
// Owns: syntax (one object, no unknown and no repeated member, no floats) and types. Refuses to
// own: ranges and meanings, which are the route's.
// Thread rule: a plain value that owns all its text; the body's bytes may go away.
// Why so strict: what one reader takes from a lenient body, another may not. The last duplicate
// wins here and the first there; 1e2 is an integer here and a double there.
// Source: RFC 8259, RFC 7493 (I-JSON).

#include "base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::proxy {

inline constexpr std::size_t kJsonDepthMax = 8;            // the body's own object is the first
inline constexpr std::size_t kJsonRouteMembersMax = 16;    // members one route may allow
inline constexpr std::size_t kJsonObjectMembersMax = 128;  // in a nested object
inline constexpr std::size_t kJsonArrayItemsMax = 1024;
inline constexpr std::size_t kJsonKeyBytesMax = 256;

class JsonBody {
public:
    // An empty body reads as {}. Strings may hold any character but U+0000.
    // REQUIRES: the names in `allowed_members` are literals, at most kJsonRouteMembersMax.
    // Fails with: InvalidJson, naming the member or the byte.
    [[nodiscard]] static Result<JsonBody> parse(std::string_view body,
                                                std::span<const std::string_view> allowed_members);
    [[nodiscard]] static Result<JsonBody> parse(
        std::string_view body, std::initializer_list<std::string_view> allowed_members);

    // Each is nullopt when the member is absent. null is not absent, it is of the wrong type.
    // REQUIRES: `name` is one of the allowed members.
    // Fails with: InvalidArgument, naming the member and the type it must have.
    [[nodiscard]] Result<std::optional<std::int64_t>> integer(std::string_view name) const;
    [[nodiscard]] Result<std::optional<bool>> boolean(std::string_view name) const;
    [[nodiscard]] Result<std::optional<std::string>> text(std::string_view name) const;
    [[nodiscard]] Result<std::optional<std::vector<std::string>>> text_list(
        std::string_view name) const;
    // A nested object as compact JSON, its members in the order they came.
    [[nodiscard]] Result<std::optional<std::string>> object(std::string_view name) const;

private:
    friend class JsonBodyBuilder;  // json_body.cpp; not here, or every route would compile
                                   // it

    enum class Kind : std::uint8_t {
        Absent,
        Null,
        Boolean,
        Integer,
        Text,
        TextList,
        OtherList,
        Object,
    };

    struct Span {
        std::size_t from = 0;
        std::size_t size = 0;
    };

    struct Member {
        std::string_view name;
        Kind kind = Kind::Absent;
        std::int64_t number = 0;  // Integer, Boolean
        Span span;                // Text, Object: of arena_. TextList: of items_
    };

    explicit JsonBody(std::span<const std::string_view> allowed_members);

    [[nodiscard]] const Member& find(std::string_view name) const;
    [[nodiscard]] std::string slice(const Span& span) const;

    std::array<Member, kJsonRouteMembersMax> members_;  // one for each allowed name, present or not
    std::size_t member_count_ = 0;
    std::string arena_;  // every text of the body, one after the other
    std::vector<Span> items_;
};

}  // namespace fencegate::proxy
