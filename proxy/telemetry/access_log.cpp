#include "proxy/telemetry/access_log.hpp"

#include "base/json_writer.hpp"
#include "base/start_failure.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>
#include <utility>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kPendingBytesMax = std::size_t{4} << 20;
constexpr std::size_t kWakeAtBytes = std::size_t{64} << 10;
constexpr std::chrono::milliseconds kFlushEvery{100};
constexpr std::size_t kWriteBytes = PIPE_BUF;
constexpr int kPollMs = 100;
constexpr int kStopPatience = 5;  // polls
constexpr std::string_view kStdout = "-";
constexpr std::string_view kOff = "off";

std::string to_json_line(const AccessLine& line, WallTime now) {
    std::string out;
    out.reserve(384);
    JsonWriter json(out);
    json.begin_object()
        .member("ts", rfc3339(now).text)
        .member("listener", line.listener)
        .member("request_id", line.request_id);
    if (!line.trace_id.empty()) json.member("trace_id", line.trace_id);
    json.member("peer", line.peer);
    if (!line.principal.empty()) json.member("principal", line.principal);
    json.member("method", line.method)
        .member("route", line.route)
        .member("status", std::int64_t{line.status});
    if (!line.code.empty()) json.member("code", line.code);
    if (!line.fence_status.empty()) json.member("fence_status", line.fence_status);
    json.member("bytes_in", static_cast<std::int64_t>(line.bytes_in))
        .member("bytes_out", static_cast<std::int64_t>(line.bytes_out))
        .member("micros", line.micros)
        .end_object();
    out.push_back('\n');
    return out;
}

bool is_file(std::string_view target) { return target != kStdout && target != kOff; }

Result<Descriptor> open_file(const std::string& path) {
    // A pipe that nobody reads is refused, instead of waited for; one that is read may be slow.
    constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    Descriptor file(::open(path.c_str(), kFlags | O_NONBLOCK, 0640));
    if (!file.is_open())
        return fail_start(StartFailure::CannotCreate,
                          "Cannot open the access log " + path + ": " + std::strerror(errno));
    ::fcntl(file.get(), F_SETFL, O_APPEND);
    return file;
}

}  // namespace

Result<std::unique_ptr<AccessLog>> AccessLog::open(const std::string& target, const Clock& clock) {
    auto file = is_file(target) ? open_file(target) : Descriptor(-1);
    if (!file) return std::unexpected(file.error());
    return std::unique_ptr<AccessLog>(new AccessLog(target, *std::move(file), clock));
}

AccessLog::AccessLog(std::string target, Descriptor file, const Clock& clock)
    : target_(std::move(target)), clock_(clock), file_(std::move(file)) {
    if (target_ == kOff) return;
    thread_ = std::thread([this] { work(); });
    ::pthread_setname_np(thread_.native_handle(), "fg-log");
}

AccessLog::~AccessLog() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    has_lines_.notify_one();
    if (thread_.joinable()) thread_.join();
}

Result<> AccessLog::reopen() {
    if (!is_file(target_)) return {};
    auto file = open_file(target_);
    if (!file) return std::unexpected(file.error());
    {
        const std::lock_guard lock(mutex_);
        next_file_ = *std::move(file);
    }
    has_lines_.notify_one();
    return {};
}

void AccessLog::write(const AccessLine& line) {
    if (target_ == kOff) return;
    const auto text = to_json_line(line, clock_.wall_now());
    bool is_much = false;
    {
        const std::lock_guard lock(mutex_);
        if (pending_.size() + text.size() > kPendingBytesMax) {
            ++dropped_;
            ++lost_;
            return;
        }
        const auto before = pending_.size();
        pending_ += text;
        is_much = before < kWakeAtBytes && pending_.size() >= kWakeAtBytes;
    }
    if (is_much) has_lines_.notify_one();
}

void AccessLog::work() {
    std::string writing;
    for (bool is_last = false; !is_last;) {
        std::size_t dropped = 0;
        {
            std::unique_lock lock(mutex_);
            has_lines_.wait_for(lock, kFlushEvery, [this] {
                return stop_ || next_file_.is_open() || pending_.size() >= kWakeAtBytes;
            });
            if (next_file_.is_open()) file_ = std::exchange(next_file_, Descriptor(-1));
            writing.swap(pending_);
            dropped = std::exchange(dropped_, 0);
            is_last = stop_;
        }
        if (dropped > 0)
            writing += "{\"access_log_lines_dropped\":" + std::to_string(dropped) + "}\n";
        write_out(writing);
        writing.clear();
    }
}

// A reader that has stopped reading must hold up neither requests nor the shutdown: no more is
// written at once than a pipe that is ready takes, and whoever asks to stop waits a little only.
void AccessLog::write_out(std::string_view bytes) {
    const int descriptor = file_.is_open() ? file_.get() : STDOUT_FILENO;
    int patience = kStopPatience;
    while (!bytes.empty()) {
        pollfd ready{descriptor, POLLOUT, 0};
        if (::poll(&ready, 1, kPollMs) == 0) {
            const std::lock_guard lock(mutex_);
            if (stop_ && --patience <= 0) return;
            continue;
        }
        const auto written = ::write(descriptor, bytes.data(), std::min(bytes.size(), kWriteBytes));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {  // nobody reads any more, or there is no room; requests go on
            lost_ += static_cast<std::uint64_t>(std::ranges::count(bytes, '\n'));
            return;
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace fencegate::proxy
