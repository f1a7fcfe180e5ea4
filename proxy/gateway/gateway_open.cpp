#include "base/file.hpp"
#include "base/json_writer.hpp"
#include "base/start_failure.hpp"
#include "proxy/access/key_file.hpp"
#include "proxy/gateway/descriptor_limit.hpp"
#include "proxy/gateway/gateway.hpp"
#include "proxy/gateway/reloadable.hpp"
#include "proxy/gateway/version.hpp"
#include "proxy/gateway/welcome.hpp"

#include <thread>
#include <utility>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kAdminConnectionsMax = 32;
constexpr const char* kNoCopies =
    "The store is in PostgreSQL, and nothing was done here. Back it up there: pg_basebackup with "
    "an "
    "archive of the log can go back to any moment, pg_dump makes a file.";

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

MetricsOptions metrics_options(const Config& config, const lockmgr::LockClasses& classes,
                               std::span<const RouteLabels> labels) {
    MetricsOptions options;
    if (config.store_kind == StoreKind::Postgres) options.store_backend = "postgres";
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

// Written beside it and taken away again: who watches it must not see one that says nothing.
Result<> check_ready_file(const std::filesystem::path& file) {
    if (file.empty()) return {};
    std::error_code ec;
    if (std::filesystem::is_directory(file, ec))
        return fail_start(StartFailure::CannotCreate,
                          "Cannot write the ready file " + file.string() + ": it is a folder.");
    const auto probe = std::filesystem::path(file) += ".probe";
    auto done = write_file_atomically(probe, "{}\n", FileMode::Public);
    std::filesystem::remove(probe, ec);
    return done;
}

// It is made with the first backup; what has its name, or that of a folder above, must be one.
Result<> check_backup_folder(const std::filesystem::path& folder) {
    namespace fs = std::filesystem;
    std::error_code ec;
    for (auto at = fs::absolute(folder); at != at.root_path(); at = at.parent_path()) {
        if (fs::symlink_status(at, ec).type() == fs::file_type::not_found) continue;
        if (fs::is_directory(at, ec)) return {};
        return fail_start(
            StartFailure::CannotCreate,
            "Backups cannot be made in " + folder.string() + ": " + at.string() + " is no folder.");
    }
    return {};
}

}  // namespace

Gateway::Gateway(const Config& config, const Clock& clock, const Log& log)
    : config_(config),
      machine_clock_(clock),
      log_(log),
      classes_(lock_classes(config)),
      labels_(route_labels({&api_routes(), &admin_routes()})),
      metrics_(metrics_options(config, classes_, labels_)),
      watch_log_(run_name(clock), {config.watch_events_max, config.watchers_max}),
      hot_locks_(clock),
      store_news_(metrics_, hot_locks_, watch_log_, log,
                  [this] { asio::post(main_, [this] { renew_certificates(); }); }),
      clock_(clock, store_news_) {
    for (std::size_t at = 0; at < classes_.size(); ++at)
        metrics_.lock_class_ttl(at, classes_[at].ttl_default);
}

Result<> Gateway::open() {
    watch_signals();  // first: a SIGHUP during start must wait its turn, not kill
    raise_descriptor_limit();
    const auto made = MadeFolders::make(config_.data_dir);
    if (!made) return std::unexpected(made.error());
    std::error_code ignored;
    const bool had_log = std::filesystem::exists(config_.access_log, ignored);
    if (auto done = open_store(); !done) {
        if (access_log_ && !had_log) std::filesystem::remove(config_.access_log, ignored);
        return done;
    }
    // A ready file of an earlier run says nothing about this one.
    if (!config_.ready_file.empty()) std::filesystem::remove(config_.ready_file, ignored);
    open_edge();
    if (auto done = open_listeners(); !done) return done;
    for (auto& thread : threads_) thread->start();
    api_listener_->start();
    admin_listener_->start();
    return announce();
}

storage::EngineOptions Gateway::engine_options() {
    return {.data_dir = config_.data_dir,
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
                },
            .on_alive = [this] { asio::post(main_, [this] { manager_.alive(); }); },
            .before_writing = [this] { return prepare(); },
            .files_made = {"keys.toml", "keys.lock", "api-key", "ca.key", "ca.pem", "server.key",
                           "server.pem"}};
}

Result<> Gateway::open_store() {
    const bool is_shared = config_.store_kind == StoreKind::Postgres;
    auto engine = is_shared
                      ? storage::open_shared_engine(engine_options(), config_.store_url,
                                                    machine_clock_, store_random_, store_news_)
                      : storage::open_embedded_engine(engine_options(), machine_clock_,
                                                      store_random_, store_news_);
    if (!engine) return std::unexpected(engine.error());
    engine_ = *std::move(engine);
    // After the engine, which has taken the folder's lock: another gateway may be at work in it.
    storage::BackupOptions backups{
        .folder = std::filesystem::absolute(backup_folder(config_)),
        .store_dir = config_.data_dir,
        .on_end = [this](const storage::BackupStatus& status) { on_backup_end(status); },
        .on_verified = [this](const storage::Verification& ended) { on_verified(ended); }};
    if (is_shared) backups.not_supported = kNoCopies;
    backups_ = std::make_unique<storage::Backups>(std::move(backups), clock_);
    if (const auto kept = backups_->list(); !kept.empty())
        metrics_.store_has_backup(kept.front().started_at);
    backup_routes_.emplace(*backups_, *engine_);
    return {};
}

// The folder is locked, the store has been read, and nothing is written yet. Whatever may be
// refused comes first, so that a start that fails leaves everything as it was.
Result<> Gateway::prepare() {
    if (auto done = check_reloadable(config_, clock_.wall_now()); !done) return done;
    if (auto done = check_backup_folder(backup_folder(config_)); !done) return done;
    if (auto done = bind_addresses(); !done) return done;
    if (auto done = open_files(); !done) return done;
    return make_secrets();
}

Result<> Gateway::bind_addresses() {
    auto api = ListenSocket::bind(main_, config_.listen);
    if (!api) return std::unexpected(api.error());
    auto admin = ListenSocket::bind(main_, config_.admin_listen);
    if (!admin) return std::unexpected(admin.error());
    api_address_ = *std::move(api);
    admin_address_ = *std::move(admin);
    return {};
}

Result<> Gateway::open_files() {
    if (auto done = check_ready_file(config_.ready_file); !done) return done;
    auto log = AccessLog::open(config_.access_log, clock_);
    if (!log) return std::unexpected(log.error());
    access_log_ = *std::move(log);
    return {};
}

Result<> Gateway::make_secrets() {
    SystemRandom random;
    auto first_key = ensure_first_key(config_.data_dir, random, clock_.wall_now());
    if (!first_key) return std::unexpected(first_key.error());
    first_key_ = *std::move(first_key);
    auto loaded = load_reloadable(config_, clock_.wall_now());
    if (!loaded) return std::unexpected(loaded.error());
    loaded_ = *std::move(loaded);
    return {};
}

void Gateway::open_edge() {
    auto loaded = std::exchange(loaded_, {});
    credentials_ = std::make_unique<CredentialStore>(std::move(loaded->credentials));
    tls_ = std::make_unique<TlsSource>(std::move(loaded->tls));
    certificate_files_ = std::move(loaded->files);
    metrics_.tls_certificate_not_after(loaded->validity.to);
    api_ = std::make_unique<ApiService>(*credentials_, RouteLimits{config_.wait_max}, classes_);
    admin_ =
        std::make_unique<AdminService>(*credentials_, metrics_, *backup_routes_, *engine_,
                                       hot_locks_, machine_clock_, metrics_are_anonymous(config_));
    api_shared_.emplace(config_, clock_, *api_, metrics_, *access_log_, log_, engine_.get(),
                        &watch_log_);
    admin_shared_.emplace(config_, clock_, *admin_, metrics_, *access_log_, log_, engine_.get(),
                          nullptr);
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

    const auto connections_max = connections_allowed(config_.connections_max, log_);
    auto api = ListenSocket::open(*std::move(api_address_), api_threads, *tls_, *api_shared_,
                                  connections_max);
    if (!api) return std::unexpected(api.error());
    auto admin = ListenSocket::open(*std::move(admin_address_), {threads_.back().get()}, *tls_,
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
                   .first_key = first_key_},
                  log_);
    if (config_.ready_file.empty()) return {};
    std::string ready;
    JsonWriter(ready)
        .begin_object()
        .member("listen", listen)
        .member("admin_listen", admin_listen)
        .end_object();
    return write_file_atomically(config_.ready_file, ready + "\n", FileMode::Public);
}

}  // namespace fencegate::proxy
