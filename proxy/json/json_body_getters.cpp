#include "base/check.hpp"
#include "proxy/json/json_body.hpp"

#include <algorithm>

namespace fencegate::proxy {
namespace {

std::unexpected<Error> wrong_type(std::string_view name, std::string_view expected) {
    return fail(ErrorCode::InvalidArgument,
                "Member \"" + std::string(name) + "\" must be " + std::string(expected) + ".");
}

}  // namespace

JsonBody::JsonBody(std::span<const std::string_view> allowed_members)
    : member_count_(allowed_members.size()) {
    FG_CHECK(allowed_members.size() <= members_.size());
    for (std::size_t at = 0; at < member_count_; ++at) members_[at].name = allowed_members[at];
}

// A name that was not allowed could never be there: asking for it is a bug of the route.
const JsonBody::Member& JsonBody::find(std::string_view name) const {
    const auto known = std::span(members_).first(member_count_);
    const auto found = std::ranges::find(known, name, &Member::name);
    FG_CHECK(found != known.end());
    return *found;
}

std::string JsonBody::slice(const Span& span) const { return arena_.substr(span.from, span.size); }

Result<std::optional<std::int64_t>> JsonBody::integer(std::string_view name) const {
    const auto& member = find(name);
    if (member.kind == Kind::Absent) return std::nullopt;
    if (member.kind != Kind::Integer) return wrong_type(name, "an integer");
    return member.number;
}

Result<std::optional<bool>> JsonBody::boolean(std::string_view name) const {
    const auto& member = find(name);
    if (member.kind == Kind::Absent) return std::nullopt;
    if (member.kind != Kind::Boolean) return wrong_type(name, "true or false");
    return member.number != 0;
}

Result<std::optional<std::string>> JsonBody::text(std::string_view name) const {
    const auto& member = find(name);
    if (member.kind == Kind::Absent) return std::nullopt;
    if (member.kind != Kind::Text) return wrong_type(name, "a string");
    return slice(member.span);
}

Result<std::optional<std::string>> JsonBody::object(std::string_view name) const {
    const auto& member = find(name);
    if (member.kind == Kind::Absent) return std::nullopt;
    if (member.kind != Kind::Object) return wrong_type(name, "an object");
    return slice(member.span);
}

Result<std::optional<std::vector<std::string>>> JsonBody::text_list(std::string_view name) const {
    const auto& member = find(name);
    if (member.kind == Kind::Absent) return std::nullopt;
    if (member.kind != Kind::TextList) return wrong_type(name, "an array of strings");
    std::vector<std::string> list;
    list.reserve(member.span.size);
    for (const auto& item : std::span(items_).subspan(member.span.from, member.span.size))
        list.push_back(slice(item));
    return list;
}

}  // namespace fencegate::proxy
