#pragma once
// A small Metrics for tests, and how to look a series up in what it says.
// Thread rule: plain values and pure functions.

#include "proxy/telemetry/metrics.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace fencegate::proxy {

inline constexpr std::array kRoutes{
    RouteLabels{.name = "unmatched", .method = "any"},
    RouteLabels{.name = "/v1/locks/{name}", .method = "POST"},
    RouteLabels{.name = "/v1/leases/{id}", .method = "GET"},
    RouteLabels{.name = "/v1/leases/{id}", .method = "DELETE"},
    RouteLabels{.name = "/metrics", .method = "GET", .listener = Listener::Admin},
};
inline constexpr RouteId kAcquireRoute = 1;
inline constexpr RouteId kScrapeRoute = 4;
inline constexpr ClassId kPayments = 0;
inline constexpr BootTime kScrapedAt{std::chrono::seconds(1000)};

inline MetricsOptions options() {
    return {.version = "1.2.3",
            .sqlite_version = "3.40.1",
            .openssl_version = "3.0.17",
            .lock_classes = {"payments", "other"},
            .routes = kRoutes};
}

// The value of one series, as text; empty if it does not exist.
inline std::string value_of(const std::string& scrape, const std::string& series) {
    const auto line = scrape.find("\n" + series + " ");
    if (line == std::string::npos) return {};
    const auto from = line + series.size() + 2;
    return scrape.substr(from, scrape.find('\n', from) - from);
}

inline std::ptrdiff_t lines_of(const std::string& text) { return std::ranges::count(text, '\n'); }

}  // namespace fencegate::proxy
