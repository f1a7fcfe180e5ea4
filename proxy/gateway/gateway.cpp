#include "proxy/gateway/gateway.hpp"

#include "base/start_failure.hpp"
#include "proxy/gateway/reloadable.hpp"
#include "proxy/gateway/run.hpp"

#include <csignal>

namespace fencegate::proxy {
namespace {

constexpr std::chrono::milliseconds kDrainLook{20};
// After the disk failed, replies that say so get this long to leave.
constexpr std::chrono::milliseconds kFatalGrace{500};

}  // namespace

void Gateway::watch_signals() {
    std::signal(SIGPIPE, SIG_IGN);  // a log nobody reads must not end the gateway
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal);
    signals_.async_wait([this](const error_code& ec, int signal) {
        if (!ec) on_signal(signal);
    });
}

void Gateway::on_signal(int signal) {
    if (signal == SIGHUP) {
        manager_.reloading();
        reload();
        manager_.ready();
    } else if (is_draining_) {
        log_.warning("second signal, stopping now");
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
    if (const auto reopened = access_log_->reopen(); !reopened)
        log_.error(reopened.error().detail + "; the old file stays");
    auto loaded = load_reloadable(config_, clock_.wall_now());
    if (loaded && loaded->validity.from > clock_.wall_now())
        loaded = fail_start(StartFailure::CannotRead, loaded->files.server.string() +
                                                          " is not valid before " +
                                                          rfc3339(loaded->validity.from).text);
    metrics_.config_reloaded(loaded.has_value());
    if (!loaded) {
        log_.error("reload failed, the old settings stay: " + loaded.error().detail);
        return;
    }
    credentials_->replace(std::move(loaded->credentials));
    use_certificates(*std::move(loaded));
    log_.info("reloaded keys and certificates");
}

// What was made by a clock that turned out to be wrong is made again. Keys stay as they are: nobody
// asked for them.
void Gateway::renew_certificates() {
    auto loaded = load_reloadable(config_, clock_.wall_now());
    if (loaded) {
        use_certificates(*std::move(loaded));
    } else {
        log_.error("the clock was set, the old certificates stay: " + loaded.error().detail);
    }
}

void Gateway::use_certificates(Reloadable loaded) {
    tls_->replace(std::move(loaded.tls));
    metrics_.tls_certificate_not_after(loaded.validity.to);
    for (const auto& notice : loaded.files.notices) log_.info(notice);
}

// The manager ends a process that gives no sign of life for as long as its patience lasts. Ours
// comes from the store's thread by way of its queue, and from this one: an edge that answers beside
// a store that does not is no service. Asked for twice in that time, as sd_watchdog_enabled(3)
// advises.
void Gateway::watch_store() {
    const auto patience = manager_.patience();
    if (!patience) return;
    life_timer_.expires_after(*patience / 2);
    life_timer_.async_wait([this](const error_code& ec) {
        if (ec) return;
        engine_->ask_for_life();
        watch_store();
    });
}

void Gateway::begin_drain() {
    manager_.stopping();
    log_.info("draining; requests at hand are finished");
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
    const auto left = api_listener_->connections();
    if (left == 0) {
        main_.stop();
        return;
    }
    if (clock_.boot_now() >= drain_until_) {
        log_.warning("drain_timeout reached with " + std::to_string(left) + " connections left");
        main_.stop();
        return;
    }
    drain_timer_.expires_after(kDrainLook);
    drain_timer_.async_wait([this](const error_code& ec) {
        if (!ec) look_whether_drained();
    });
}

void Gateway::on_disk_failure(const std::string& why) {
    const auto* what_then =
        config_.store_kind == StoreKind::Postgres
            ? ". Stopping: what the server has decides; restart when it is sound, unless another "
              "gateway is to serve the store."
            : ". Stopping: what is on the disk decides; restart when the disk is sound.";
    log_.error("the store failed: " + why + what_then);
    disk_failure_ = why;
    drain_timer_.expires_after(kFatalGrace);
    drain_timer_.async_wait([this](const error_code&) { main_.stop(); });
}

void Gateway::on_backup_end(const storage::BackupStatus& status) {
    if (!status.error) return metrics_.store_backed_up(status.started_at);
    metrics_.store_backup_failed();
    const auto which = status.name.empty() ? "that was asked for" : status.name;
    log_.error("the backup " + which + " failed: " + status.error->detail,
               {{"code", code_name(status.error->code)}});
}

// Whoever asked may be gone by now.
void Gateway::on_verified(const storage::Verification& ended) {
    if (ended.copy.error)
        log_.error("the verification failed: " + ended.copy.error->detail,
                   {{"code", code_name(ended.copy.error->code)}});
    else if (!ended.report->is_sound())
        log_.error("the store is NOT sound; GET /verify says what is wrong");
}

Result<> Gateway::serve() {
    manager_.ready();
    watch_store();
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

Result<> run_gateway(const Config& config, const Clock& clock, const Log& log) {
    Gateway gateway(config, clock, log);
    if (auto opened = gateway.open(); !opened) return opened;
    return gateway.serve();
}

}  // namespace fencegate::proxy
