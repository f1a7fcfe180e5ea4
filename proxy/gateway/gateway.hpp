#pragma once
// Gateway: the parts of a running gateway and the order in which they begin and end: the store,
// what stands around it, the edge, the listeners; then signals, a reload, the drain. Owns: every
// thread of the process, and the store's lock. Thread rule: the main thread's; other threads post
// to it.

#include "base/log.hpp"
#include "base/notify_socket.hpp"
#include "proxy/access/credentials.hpp"
#include "proxy/admin/admin_service.hpp"
#include "proxy/api/api_service.hpp"
#include "proxy/gateway/believed_clock.hpp"
#include "proxy/gateway/reloadable.hpp"
#include "proxy/gateway/store_news.hpp"
#include "proxy/net/listener.hpp"
#include "proxy/telemetry/access_log.hpp"
#include "proxy/tls/certificates.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fencegate::proxy {

class Gateway {
public:
    // All of it outlives this.
    Gateway(const Config& config, const Clock& clock, const Log& log);
    // Ends the threads before anything they use, whatever happened.
    ~Gateway() { close(); }
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    // Until clients may come.
    // Fails with: StartFailure, whatever the parts say.
    [[nodiscard]] Result<> open();
    // Until a signal or the disk ends it.
    // Fails with: OutcomeUnknown, if it was the disk.
    [[nodiscard]] Result<> serve();

private:
    [[nodiscard]] storage::EngineOptions engine_options();
    Result<> open_store();
    Result<> prepare();
    Result<> bind_addresses();
    Result<> open_files();
    Result<> make_secrets();
    void open_edge();
    Result<> open_listeners();
    Result<> announce();
    void watch_signals();
    void on_signal(int signal);
    void reload();
    void renew_certificates();
    void use_certificates(Reloadable loaded);
    void watch_store();
    void begin_drain();
    void look_whether_drained();
    void on_disk_failure(const std::string& why);
    void on_backup_end(const storage::BackupStatus& status);
    void on_verified(const storage::Verification& ended);
    void close();

    const Config& config_;
    const Clock& machine_clock_;
    const Log& log_;
    NotifySocket manager_{NotifySocket::of_environment()};
    lockmgr::LockClasses classes_;
    std::vector<RouteLabels> labels_;
    Metrics metrics_;
    WatchLog watch_log_;
    HotLocks hot_locks_;
    StoreNews store_news_;
    BelievedClock clock_;
    BufferedRandom store_random_;

    asio::io_context main_{1};
    asio::signal_set signals_{main_};
    asio::steady_timer drain_timer_{main_};
    asio::steady_timer life_timer_{main_};
    BootTime drain_until_{};
    bool is_draining_ = false;
    std::optional<std::string> disk_failure_;

    // Sessions end before what they use: threads are joined in close(), first of all.
    std::unique_ptr<storage::Backups> backups_;
    std::unique_ptr<storage::Engine> engine_;
    std::optional<BackupRoutes> backup_routes_;
    std::unique_ptr<AccessLog> access_log_;
    std::unique_ptr<CredentialStore> credentials_;
    std::unique_ptr<TlsSource> tls_;
    CertificateFiles certificate_files_;
    std::optional<std::string> first_key_;
    std::optional<Reloadable> loaded_;  // until the edge takes it over
    std::optional<tcp::acceptor> api_address_;
    std::optional<tcp::acceptor> admin_address_;
    std::unique_ptr<ApiService> api_;
    std::unique_ptr<AdminService> admin_;
    std::optional<SessionShared> api_shared_;
    std::optional<SessionShared> admin_shared_;
    std::vector<std::unique_ptr<IoThread>> threads_;
    std::unique_ptr<ListenSocket> api_listener_;
    std::unique_ptr<ListenSocket> admin_listener_;
};

}  // namespace fencegate::proxy
