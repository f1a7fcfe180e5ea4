#include "proxy/http/route_table.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <iterator>

namespace fencegate::proxy {
namespace {

std::string_view next_segment(std::string_view& pattern) {
    pattern.remove_prefix(1);  // its leading '/'
    const auto size = std::min(pattern.find('/'), pattern.size());
    const auto segment = pattern.substr(0, size);
    pattern.remove_prefix(size);
    return segment;
}

// The path's parameters if it has the form of the pattern.
std::optional<Parameters> match_path(std::string_view pattern, const Target& target) {
    Parameters parameters{};
    std::size_t found = 0;
    std::size_t at = 0;
    while (!pattern.empty()) {
        const auto expected = next_segment(pattern);
        if (at >= target.segments.size()) return std::nullopt;
        if (expected.ends_with("...}")) {
            parameters[found] = target.tail(at);
            return parameters;
        }
        if (expected.front() == '{') {
            parameters[found++] = target.segments[at];
        } else if (expected != target.segments[at]) {
            return std::nullopt;
        }
        ++at;
    }
    if (at != target.segments.size()) return std::nullopt;
    return parameters;
}

}  // namespace

RouteTable::RouteTable(Listener listener, RouteId first_id, std::string_view not_found,
                       std::initializer_list<std::span<const Route>> parts)
    : listener_(listener), first_id_(first_id), not_found_(not_found) {
    for (const auto part : parts) {
        for (const auto& route : part) {
            FG_CHECK(std::ranges::count(route.pattern, '{') <= std::ssize(Parameters{}));
            routes_.push_back(route);
        }
    }
}

Result<RouteMatch> RouteTable::match(std::string_view method, const Target& target) const {
    std::vector<std::string_view> taken;  // methods of the path; several routes may take one
    for (std::size_t index = 0; index < routes_.size(); ++index) {
        const auto& route = routes_[index];
        const auto parameters = match_path(route.pattern, target);
        if (!parameters) continue;
        if (route.method == method) return RouteMatch{&route, first_id_ + index, *parameters};
        if (std::ranges::find(taken, route.method) == taken.end()) taken.push_back(route.method);
    }
    if (taken.empty()) return fail(ErrorCode::RouteNotFound, std::string(not_found_));
    std::string allow;
    for (const auto name : taken) allow.append(allow.empty() ? "" : ", ").append(name);
    auto detail = "This path takes " + allow + ".";
    return fail(ErrorCode::MethodNotAllowed, std::move(detail), {{"allow", std::move(allow)}});
}

std::vector<RouteLabels> route_labels(std::initializer_list<const RouteTable*> tables) {
    std::vector<RouteLabels> labels{{"unmatched", "any", Listener::Public}};
    for (const auto* table : tables) {
        for (const auto& route : table->routes())
            labels.push_back({route.pattern, route.method, table->listener()});
    }
    return labels;
}

}  // namespace fencegate::proxy
