#include "proxy/gateway.hpp"

#include "base/file.hpp"
#include "base/json_writer.hpp"
#include "proxy/access_log.hpp"
#include "proxy/admin_service.hpp"
#include "proxy/api_service.hpp"
#include "proxy/certificates.hpp"
#include "proxy/descriptor_limit.hpp"
#include "proxy/key_file.hpp"
#include "proxy/listener.hpp"
#include "proxy/reloadable.hpp"
#include "proxy/store_news.hpp"
#include "proxy/version.hpp"
#include "proxy/welcome.hpp"

#include <csignal>
#include <cstdio>
#include <thread>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kAdminConnectionsMax = 32;
constexpr std::chrono::milliseconds kDrainLook{20};
// After the disk failed, replies that say so get this long to leave.
constexpr std::chrono::milliseconds kFatalGrace{500};

lockmgr::LockClasses lock_classes(const Config& config) {
    return lockmgr::LockClasses(config.classes);
}

std::vector<std::string> class_names(const lockmgr::LockClasses& classes) {
    std::vector<std::string> names;
    names.reserve(classes.size());
    for (std::size_t index = 0; index < classes.size(); ++index)
        names.push_back(classes[index].name);
    return names;
}

MetricsOptions metrics_options(const lockmgr::LockClasses& classes,
                               std::span<const RouteLabels> labels) {
    MetricsOptions options;
    options.version = kVersion;
    options.lock_classes = class_names(classes);
    options.routes = labels;
    return options;
}

// Tells the events of this run of the program from those of every other.
std::string run_name(const Clock& clock) {
    SystemRandom random;
    return to_hex(uuid_v7(clock.wall_now(), random)).substr(16);  // its random half
}

class Gateway {
public:
    Gateway(const Config& config, const Clock& clock)
        : config_(config),
          clock_(clock),
          classes_(lock_classes(config)),
          labels_(route_labels(AdminService::route_labels())),
          metrics_(metrics_options(classes_, labels_)),
          watch_log_(run_name(clock), {config.watch_events_max, config.watchers_max}),
          hot_locks_(clock),
          store_news_(metrics_, hot_locks_, watch_log_) {
        for (std::size_t at = 0; at < classes_.size(); ++at)
            metrics_.lock_class_ttl(at, classes_[at].ttl_default);
    }

    // Ends the threads before anything they use, whatever happened.
    ~Gateway() { close(); }
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    Result<> open();
    Result<> serve();

private:
    Result<> open_store();
    Result<> open_edge();
    Result<> open_listeners();
    Result<> announce();
    void watch_signals();
    void on_signal(int signal);
    void reload();
    void begin_drain();
    void look_whether_drained();
    void on_disk_failure(const std::string& why);
    void on_backup_end(const storage::BackupStatus& status);
    static void on_verified(const storage::Verification& ended);
    void close();

    const Config& config_;
    const Clock& clock_;
    lockmgr::LockClasses classes_;
    std::vector<RouteLabels> labels_;
    Metrics metrics_;
    WatchLog watch_log_;
    HotLocks hot_locks_;
    StoreNews store_news_;
    BufferedRandom store_random_;

    asio::io_context main_{1};
    asio::signal_set signals_{main_};
    asio::steady_timer drain_timer_{main_};
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
    std::unique_ptr<ApiService> api_;
    std::unique_ptr<AdminService> admin_;
    std::optional<SessionShared> api_shared_;
    std::optional<SessionShared> admin_shared_;
    std::vector<std::unique_ptr<IoThread>> threads_;
    std::unique_ptr<ListenSocket> api_listener_;
    std::unique_ptr<ListenSocket> admin_listener_;
};

Result<> Gateway::open() {
    watch_signals();  // first: a SIGHUP during start must wait its turn, not kill
    raise_descriptor_limit();
    if (auto done = make_private_directory(config_.data_dir); !done) return done;
    if (auto done = open_store(); !done) return done;
    std::error_code ignored;  // a ready file of an earlier run says nothing about this one
    if (!config_.ready_file.empty()) std::filesystem::remove(config_.ready_file, ignored);
    if (auto done = open_edge(); !done) return done;
    if (auto done = open_listeners(); !done) return done;
    for (auto& thread : threads_) thread->start();
    api_listener_->start();
    admin_listener_->start();
    return announce();
}

Result<> Gateway::open_store() {
    auto engine = storage::open_embedded_engine(
        {.data_dir = config_.data_dir,
         .classes = classes_,
         .wait_limits = {config_.waiters_per_lock_max, config_.waiters_max},
         .retention = {std::chrono::ceil<std::chrono::hours>(config_.idempotency_retention),
                       std::chrono::ceil<std::chrono::hours>(config_.history_retention),
                       std::chrono::ceil<std::chrono::hours>(config_.authorization_lifetime)},
         .queue_max = config_.command_queue_max,
         .batch_max = config_.batch_commands_max,
         .on_fatal =
             [this](const std::string& why) {
                 asio::post(main_, [this, why] { on_disk_failure(why); });
             }},
        clock_, store_random_, store_news_);
    if (!engine) return std::unexpected(engine.error());
    engine_ = *std::move(engine);
    // After the engine, which has taken the folder's lock: another gateway may be at work in it.
    backups_ = std::make_unique<storage::Backups>(
        storage::BackupOptions{
            .folder = std::filesystem::absolute(backup_folder(config_)),
            .store_dir = config_.data_dir,
            .on_end = [this](const storage::BackupStatus& status) { on_backup_end(status); },
            .on_verified = on_verified},
        clock_);
    if (const auto kept = backups_->list(); !kept.empty())
        metrics_.store_has_backup(kept.front().started_at);
    backup_routes_.emplace(*backups_, *engine_);
    return {};
}

Result<> Gateway::open_edge() {
    SystemRandom random;
    auto first_key = ensure_first_key(config_.data_dir, random, clock_.wall_now());
    if (!first_key) return std::unexpected(first_key.error());
    first_key_ = *std::move(first_key);
    auto loaded = load_reloadable(config_, clock_);
    if (!loaded) return std::unexpected(loaded.error());
    auto log = AccessLog::open(config_.access_log, clock_);
    if (!log) return std::unexpected(log.error());

    access_log_ = *std::move(log);
    credentials_ = std::make_unique<CredentialStore>(std::move(loaded->credentials));
    tls_ = std::make_unique<TlsSource>(std::move(loaded->tls));
    certificate_files_ = std::move(loaded->files);
    metrics_.tls_certificate_not_after(loaded->not_after);
    api_ = std::make_unique<ApiService>(*credentials_, RouteLimits{config_.wait_max});
    admin_ = std::make_unique<AdminService>(*credentials_, metrics_, *backup_routes_, *engine_,
                                            hot_locks_, clock_, metrics_are_anonymous(config_),
                                            routes().size() + 1);
    api_shared_.emplace(config_, clock_, *api_, metrics_, *access_log_, engine_.get(), &watch_log_);
    admin_shared_.emplace(config_, clock_, *admin_, metrics_, *access_log_, engine_.get(), nullptr);
    return {};
}

Result<> Gateway::open_listeners() {
    const auto cores = std::max(1U, std::thread::hardware_concurrency());
    const auto count = config_.io_threads > 0 ? config_.io_threads : cores;
    std::vector<IoThread*> api_threads;
    for (std::size_t index = 0; index < count; ++index) {
        threads_.push_back(
            std::make_unique<IoThread>(index, "fg-io-" + std::to_string(index), clock_));
        api_threads.push_back(threads_.back().get());
        threads_.back()->follow(watch_log_);
    }
    threads_.push_back(std::make_unique<IoThread>(count, "fg-admin", clock_));

    const auto connections_max = connections_allowed(config_.connections_max);
    auto api =
        ListenSocket::open(config_.listen, api_threads, *tls_, *api_shared_, connections_max);
    if (!api) return std::unexpected(api.error());
    auto admin = ListenSocket::open(config_.admin_listen, {threads_.back().get()}, *tls_,
                                    *admin_shared_, kAdminConnectionsMax);
    if (!admin) return std::unexpected(admin.error());
    api_listener_ = *std::move(api);
    admin_listener_ = *std::move(admin);
    return {};
}

Result<> Gateway::announce() {
    const auto listen = to_string(api_listener_->endpoint());
    const auto admin_listen = to_string(admin_listener_->endpoint());
    print_welcome({.config = config_,
                   .listen = api_listener_->endpoint(),
                   .admin_listen = admin_listener_->endpoint(),
                   .certificates = certificate_files_,
                   .first_key = first_key_});
    if (config_.ready_file.empty()) return {};
    std::string ready;
    JsonWriter(ready)
        .begin_object()
        .member("listen", listen)
        .member("admin_listen", admin_listen)
        .end_object();
    return write_file_atomically(config_.ready_file, ready + "\n", FileMode::Public);
}

void Gateway::watch_signals() {
    std::signal(SIGPIPE, SIG_IGN);  // a log nobody reads must not end the gateway
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal);
    signals_.async_wait([this](const error_code& ec, int signal) {
        if (!ec) on_signal(signal);
    });
}

void Gateway::on_signal(int signal) {
    if (signal == SIGHUP) {
        reload();
    } else if (is_draining_) {
        std::fprintf(stderr, "fencegate: second signal, stopping now\n");
        main_.stop();
        return;
    } else {
        begin_drain();
    }
    signals_.async_wait([this](const error_code& ec, int next) {
        if (!ec) on_signal(next);
    });
}

void Gateway::reload() {
    auto loaded = load_reloadable(config_, clock_);
    metrics_.config_reloaded(loaded.has_value());
    if (!loaded) {
        std::fprintf(stderr, "fencegate: reload failed, the old settings stay: %s\n",
                     loaded.error().detail.c_str());
        return;
    }
    credentials_->replace(std::move(loaded->credentials));
    tls_->replace(std::move(loaded->tls));
    metrics_.tls_certificate_not_after(loaded->not_after);
    std::fprintf(stderr, "fencegate: reloaded keys and certificates\n");
}

void Gateway::begin_drain() {
    std::fprintf(stderr, "fencegate: draining; requests at hand are finished\n");
    is_draining_ = true;
    metrics_.draining(true);
    admin_->set_draining();
    api_listener_->close();
    // Sessions first: what the engine then answers is told with "Connection: close".
    for (std::size_t at = 0; at + 1 < threads_.size(); ++at) threads_[at]->drain();
    engine_->drain();
    drain_until_ = clock_.boot_now() + config_.drain_timeout;
    look_whether_drained();
}

// The admin listener answers /readyz and /metrics to the end.
void Gateway::look_whether_drained() {
    if (api_listener_->connections() == 0) {
        main_.stop();
        return;
    }
    if (clock_.boot_now() >= drain_until_) {
        std::fprintf(stderr, "fencegate: drain_timeout reached with %zu connections left\n",
                     api_listener_->connections());
        main_.stop();
        return;
    }
    drain_timer_.expires_after(kDrainLook);
    drain_timer_.async_wait([this](const error_code& ec) {
        if (!ec) look_whether_drained();
    });
}

void Gateway::on_disk_failure(const std::string& why) {
    std::fprintf(stderr,
                 "fencegate: the store failed: %s. Stopping: what is on the disk decides; restart "
                 "when the disk is sound.\n",
                 why.c_str());
    disk_failure_ = why;
    drain_timer_.expires_after(kFatalGrace);
    drain_timer_.async_wait([this](const error_code&) { main_.stop(); });
}

void Gateway::on_backup_end(const storage::BackupStatus& status) {
    if (!status.error) return metrics_.store_backed_up(status.started_at);
    metrics_.store_backup_failed();
    std::fprintf(stderr, "fencegate: the backup %s failed: %s\n", status.name.c_str(),
                 status.error->detail.c_str());
}

// Whoever asked may be gone by now.
void Gateway::on_verified(const storage::Verification& ended) {
    if (ended.copy.error)
        std::fprintf(stderr, "fencegate: the verification failed: %s\n",
                     ended.copy.error->detail.c_str());
    else if (!ended.report->is_sound())
        std::fprintf(stderr, "fencegate: the store is NOT sound; GET /verify says what is wrong\n");
}

Result<> Gateway::serve() {
    main_.run();
    close();
    if (disk_failure_)
        return fail(ErrorCode::OutcomeUnknown, "The store failed: " + *disk_failure_);
    return {};
}

void Gateway::close() {
    for (auto& thread : threads_) thread->stop();
    if (engine_) engine_->stop();
    backups_.reset();  // which waits until what the engine has copied is on the disk
}

}  // namespace

Result<> run_gateway(const Config& config) {
    const SystemClock clock;
    Gateway gateway(config, clock);
    if (auto opened = gateway.open(); !opened) return opened;
    return gateway.serve();
}

}  // namespace fencegate::proxy
