#include "proxy/gateway/gateway.hpp"

#include "base/start_failure.hpp"
#include "proxy/gateway/reloadable.hpp"
#include "proxy/gateway/run.hpp"

#include <csignal>
#include <cstdio>

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
    auto loaded = load_reloadable(config_, clock_.wall_now());
    if (loaded && loaded->validity.from > clock_.wall_now())
        loaded = fail_start(StartFailure::CannotRead, loaded->files.server.string() +
                                                          " is not valid before " +
                                                          rfc3339(loaded->validity.from).text);
    metrics_.config_reloaded(loaded.has_value());
    if (!loaded) {
        std::fprintf(stderr, "fencegate: reload failed, the old settings stay: %s\n",
                     loaded.error().detail.c_str());
        return;
    }
    credentials_->replace(std::move(loaded->credentials));
    use_certificates(*std::move(loaded));
    std::fprintf(stderr, "fencegate: reloaded keys and certificates\n");
}

// What was made by a clock that turned out to be wrong is made again. Keys stay as they are: nobody
// asked for them.
void Gateway::renew_certificates() {
    auto loaded = load_reloadable(config_, clock_.wall_now());
    if (loaded) {
        use_certificates(*std::move(loaded));
    } else {
        std::fprintf(stderr, "fencegate: the clock was set, the old certificates stay: %s\n",
                     loaded.error().detail.c_str());
    }
}

void Gateway::use_certificates(Reloadable loaded) {
    tls_->replace(std::move(loaded.tls));
    metrics_.tls_certificate_not_after(loaded.validity.to);
    for (const auto& notice : loaded.files.notices)
        std::fprintf(stderr, "fencegate: %s\n", notice.c_str());
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
    std::fprintf(stderr, "fencegate: the backup %s failed: %s\n",
                 status.name.empty() ? "that was asked for" : status.name.c_str(),
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

Result<> run_gateway(const Config& config) {
    const SystemClock clock;
    Gateway gateway(config, clock);
    if (auto opened = gateway.open(); !opened) return opened;
    return gateway.serve();
}

}  // namespace fencegate::proxy
