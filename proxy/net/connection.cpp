#include "proxy/net/connection.hpp"

#include "proxy/config/config.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kReadBytes = 8192;
constexpr std::size_t kWatchBytes = 4096;
constexpr std::chrono::milliseconds kWatchLook{50};
constexpr Duration kGoodbyeTimeout{2'000};
constexpr std::size_t kGoodbyeBytesMax = std::size_t{256} << 10;

}  // namespace

Connection::Connection(TlsStream stream, std::string peer, IoThread& thread,
                       const SessionShared& shared)
    : stream_(std::move(stream)),
      peer_(std::move(peer)),
      thread_(thread),
      shared_(shared),
      watch_ended_(thread.context()) {}

asio::awaitable<bool> Connection::shake_hands() {
    set_deadline(shared_.config.handshake_timeout);
    auto [ec] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kAwait);
    clear_deadline();
    shared_.metrics.tls_handshake(!ec);
    co_return !ec;
}

// Closing with unread input resets the connection and may destroy the reply on its way, so what
// still comes is read and thrown away for a moment (RFC 9112 §9.6).
asio::awaitable<void> Connection::say_goodbye() {
    set_deadline(kGoodbyeTimeout);
    [[maybe_unused]] auto [shut] = co_await stream_.async_shutdown(kAwait);
    error_code ignored;
    stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
    std::array<char, 4096> sink{};
    const auto space = asio::buffer(sink);
    std::size_t thrown_away = 0;
    while (!is_overdue_ && thrown_away < kGoodbyeBytesMax) {
        auto [ec, size] = co_await stream_.next_layer().async_read_some(space, kAwait);
        if (ec) break;
        thrown_away += size;
    }
    stream_.next_layer().close(ignored);
}

void Connection::hang_up() {
    error_code ignored;
    stream_.next_layer().close(ignored);
}

std::string_view Connection::received() const noexcept {
    const auto data = buffer_.cdata();
    return {static_cast<const char*>(data.data()), data.size()};
}

asio::awaitable<bool> Connection::read_more(std::size_t limit) {
    const auto space = buffer_.prepare(std::min(limit, kReadBytes));
    auto [ec, size] = co_await stream_.async_read_some(space, kAwait);
    if (ec || is_overdue_) co_return false;
    buffer_.commit(size);
    co_return true;
}

asio::awaitable<Connection::Sent> Connection::send(std::string_view bytes, Duration patience) {
    set_deadline(patience);
    const auto data = asio::buffer(bytes);
    auto [ec, size] = co_await asio::async_write(stream_, data, kAwait);
    clear_deadline();
    Sent sent;
    sent.is_all = !ec;
    sent.bytes = size;
    co_return sent;
}

void Connection::set_deadline(Duration from_now) {
    deadline_ = now() + from_now;
    is_overdue_ = false;
}

void Connection::hurry(Duration from_now) {
    if (deadline_) deadline_ = std::min(*deadline_, now() + from_now);
}

void Connection::sweep(BootTime now) {
    if (!deadline_ || now < *deadline_) return;
    is_overdue_ = true;  // and again at every sweep: a cancel may meet no pending operation
    error_code ignored;
    stream_.next_layer().cancel(ignored);
}

void Connection::start_watching(asio::awaitable<void> watching) {
    is_watched_ = true;
    is_watch_over_ = false;
    asio::co_spawn(thread_.context(), std::move(watching), [this](std::exception_ptr) {
        is_watched_ = false;
        watch_ended_.cancel();
    });
}

asio::awaitable<void> Connection::stop_watching() {
    is_watch_over_ = true;
    error_code ignored;
    while (is_watched_) {  // again and again: a cancel may meet no pending operation
        stream_.next_layer().cancel(ignored);
        watch_ended_.expires_after(kWatchLook);
        [[maybe_unused]] auto [ec] = co_await watch_ended_.async_wait(kAwait);
    }
}

// What arrives is the next request, sent ahead: it stays in the buffer.
asio::awaitable<bool> Connection::notice_departure() {
    while (!is_watch_over_ && buffer_.size() < shared_.config.header_bytes_max) {
        const bool is_there = co_await read_more(kWatchBytes);
        if (!is_there) break;
    }
    co_return !is_watch_over_ && buffer_.size() < shared_.config.header_bytes_max;
}

}  // namespace fencegate::proxy
