#pragma once
// BackupRoutes: backups and verifications on the admin listener.
//
//   POST /backups          begins one: 202 and where to ask for it
//   GET /backups           those there are
//   GET /backups/{name}    how far it is, or what it holds
//   POST /verify           begins a verification of the store as it is now: 202
//   GET /verify            how far it is, or what it found; and what the one before found
//
// All need the scope admin, on loopback too: a copy holds every payment, and fills a disk.
// Thread rule: any thread. Everything outlives this.

#include "proxy/http/service.hpp"
#include "proxy/telemetry/metrics.hpp"
#include "storage/copies/backups.hpp"

#include <array>

namespace fencegate::proxy {

class BackupRoutes {
public:
    BackupRoutes(storage::Backups& backups, storage::Engine& engine)
        : backups_(backups), engine_(engine) {}

    static constexpr std::array kLabels{
        RouteLabels{"/backups", "GET", Listener::Admin},
        RouteLabels{"/backups", "POST", Listener::Admin},
        RouteLabels{"/backups/{name}", "GET", Listener::Admin},
        RouteLabels{"/verify", "GET", Listener::Admin},
        RouteLabels{"/verify", "POST", Listener::Admin},
    };

    [[nodiscard]] static bool serves(const Target& target) noexcept;
    // Which of kLabels. REQUIRES: serves(). Fails with: RouteNotFound, MethodNotAllowed.
    [[nodiscard]] static Result<std::size_t> match(std::string_view method, const Target& target);

    [[nodiscard]] Reply answer(const Exchange& exchange, std::string_view body);

private:
    [[nodiscard]] Reply begin(const Exchange& exchange, std::string_view body);
    [[nodiscard]] Reply list() const;
    [[nodiscard]] Reply find(const Exchange& exchange) const;
    [[nodiscard]] Reply answer_verify(const Exchange& exchange, std::string_view body);
    [[nodiscard]] Reply begin_verification(const Exchange& exchange, std::string_view body);

    storage::Backups& backups_;
    storage::Engine& engine_;
};

}  // namespace fencegate::proxy
