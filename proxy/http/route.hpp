#pragma once
// Route: one row of a listener's table: what a request has to look like, who may send it and how
// it becomes a value that says what is asked.
// Builders are pure: they read head, target and body and touch nothing.
// Thread rule: constants and plain values.

#include "base/result.hpp"
#include "proxy/access/principal.hpp"
#include "proxy/http/admin_task.hpp"
#include "proxy/http/request_head.hpp"
#include "proxy/http/target.hpp"
#include "proxy/streams/statement.hpp"
#include "proxy/streams/subscription.hpp"
#include "storage/model/command.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

namespace fencegate::proxy {

// What stands for each {...} of the pattern, in its order; views into the target.
inline constexpr std::size_t kParametersMax = 2;
using Parameters = std::array<std::string_view, kParametersMax>;

struct RouteLimits {
    Duration wait_max;
};

struct RouteRequest {
    const RequestHead& head;
    const Target& target;
    const Parameters& parameters;
    std::string_view body;
    std::string_view principal;
    RouteLimits limits{};  // of the API
};

using Asked = std::variant<storage::Operation, Subscription, StatementRequest, AdminTask>;
using Build = Result<Asked> (*)(const RouteRequest&);

struct Route {
    std::string_view method;
    std::string_view pattern;    // "{id}" is one segment, "{name...}" the rest
    std::optional<Scope> scope;  // nullopt: everybody may
    Build build;
    int success_status = 200;        // of the store's answer
    std::string_view location = {};  // what precedes the resource's id in Location; empty: none
};

}  // namespace fencegate::proxy
