#pragma once
// RouteTable: every route of a listener. The table is the index of what it serves: 404, 405 and
// the labels of the metrics fall out of it.
// Thread rule: immutable after construction, may be shared by all threads.

#include "base/result.hpp"
#include "proxy/http/route.hpp"
#include "proxy/http/route_labels.hpp"

#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace fencegate::proxy {

// The default is what no route matches.
struct RouteMatch {
    const Route* route = nullptr;
    RouteId id = 0;
    Parameters parameters{};
};

class RouteTable {
public:
    // The routes are tried in this order. `not_found` is what a 404 says; a literal.
    // REQUIRES: first_id is 1, or the end_id() of the table before this one.
    RouteTable(Listener listener, RouteId first_id, std::string_view not_found,
               std::initializer_list<std::span<const Route>> parts);

    // Fails with: RouteNotFound, MethodNotAllowed (the member "allow" lists what the path takes).
    [[nodiscard]] Result<RouteMatch> match(std::string_view method, const Target& target) const;

    [[nodiscard]] Listener listener() const noexcept { return listener_; }
    [[nodiscard]] std::span<const Route> routes() const noexcept { return routes_; }
    [[nodiscard]] RouteId end_id() const noexcept { return first_id_ + routes_.size(); }

private:
    Listener listener_;
    RouteId first_id_;
    std::string_view not_found_;
    std::vector<Route> routes_;
};

// By RouteId: "unmatched", then the routes of the tables in their order.
[[nodiscard]] std::vector<RouteLabels> route_labels(
    std::initializer_list<const RouteTable*> tables);

}  // namespace fencegate::proxy
