#pragma once
// How a route, and what was wrong with a key, are named where they are counted and logged.
// Thread rule: plain values.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fencegate::proxy {

enum class Listener : std::uint8_t { Public, Admin };

// Why a request was answered 401.
enum class NoPrincipal : std::uint8_t { NoKey, NotBearer, UnknownKey };

using RouteId = std::size_t;  // index into the labels of all routes; 0 is "unmatched"

// One row of the route table as the labels show it, e.g. {"/v1/leases/{id}", "DELETE"}.
struct RouteLabels {
    std::string_view name;
    std::string_view method;
    Listener listener = Listener::Public;  // ignored for "unmatched", which every listener has
};

}  // namespace fencegate::proxy
