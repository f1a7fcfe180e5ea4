#pragma once
// AdminService: the operator's listener. /healthz says the process runs, /readyz that it takes
// work, /metrics what it did, /locks/hot which locks make the trouble; /backups and /verify are
// backup_routes.hpp. Serialising metrics costs milliseconds: it happens on the admin listener's own
// thread, never beside requests. Thread rule: the admin thread; set_draining() from any thread.

#include "proxy/access/credentials.hpp"
#include "proxy/admin/backup_routes.hpp"
#include "proxy/http/route_table.hpp"
#include "proxy/http/service.hpp"
#include "proxy/telemetry/hot_locks.hpp"
#include "proxy/telemetry/metrics.hpp"

#include <atomic>
#include <functional>
#include <optional>

namespace fencegate::proxy {

// Behind those of the API: their ids follow its.
[[nodiscard]] const RouteTable& admin_routes();

class AdminService final : public Service {
public:
    // All references outlive the service.
    // `refresh` is called before each scrape is written.
    AdminService(const CredentialStore& credentials, Metrics& metrics, BackupRoutes& backups,
                 const HotLocks& hot_locks, const Clock& clock,
                 std::function<void(BootTime)> refresh, bool metrics_are_anonymous);

    void set_draining() noexcept { is_draining_ = true; }

    [[nodiscard]] Listener listener() const noexcept override { return Listener::Admin; }
    [[nodiscard]] Result<> admit(Exchange& exchange) const override;
    [[nodiscard]] Begun begin(const Exchange& exchange, std::string_view body) override;
    [[nodiscard]] Reply finish(const Exchange& exchange, storage::Answer answer) override;

private:
    [[nodiscard]] std::optional<Scope> scope_of(const Exchange& exchange) const;
    [[nodiscard]] Result<Reply> answer(const Exchange& exchange, const ShowHealth& task) const;
    [[nodiscard]] Result<Reply> answer(const Exchange& exchange, const ShowReadiness& task) const;
    [[nodiscard]] Result<Reply> answer(const Exchange& exchange, const ShowMetrics& task);
    [[nodiscard]] Result<Reply> answer(const Exchange& exchange, const BackupTask& task);

    const CredentialStore& credentials_;
    Metrics& metrics_;
    BackupRoutes& backups_;
    const HotLocks& hot_locks_;
    const Clock& clock_;
    const std::function<void(BootTime)> refresh_;
    bool metrics_are_anonymous_;
    std::atomic<bool> is_draining_{false};
};

}  // namespace fencegate::proxy
