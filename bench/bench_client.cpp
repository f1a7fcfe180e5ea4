#include "bench/bench_client.hpp"

#include "bench/now.hpp"

namespace fencegate::bench {
namespace {

constexpr int kCreated = 201;
constexpr int kNoContent = 204;
constexpr int kLocked = 423;

}  // namespace

BenchClient::BenchClient(const BenchOptions& options, std::string_view run, std::size_t number)
    : options_(options), number_(number), templates_(options, run, number) {}

void BenchClient::open(ssl_ctx_st* context, int epoll, std::uint64_t epoll_data) {
    server_closes_ = false;
    const auto begun = connection_.open(context, options_.host, options_.port, epoll, epoll_data);
    state_ = begun == TlsConnection::Progress::Closed ? State::Lost : State::Connecting;
}

void BenchClient::start_create(std::size_t payment) {
    payment_ = payment;
    cycle_ = {};
    templates_.create(request_, payment_);
    send(Step::Create);
}

void BenchClient::start_cycle(std::size_t payment, std::int64_t due_ns) {
    payment_ = payment;
    cycle_ = {};
    cycle_.due_ns = due_ns;
    cycle_.marks[0] = now_ns();
    templates_.acquire(request_, payment_);
    send(Step::Acquire);
}

BenchClient::State BenchClient::on_event(bool peer_has_closed, Tally& tally) {
    if (state_ == State::Connecting) on_connecting(tally);
    if (state_ == State::Busy) on_busy(tally);
    // No further edge would tell that the next answer cannot come.
    if (state_ == State::Busy && peer_has_closed) on_busy(tally);
    // An idle connection that the gateway closed is replaced; nothing was lost on it.
    if (state_ == State::Idle && (peer_has_closed || server_closes_)) state_ = State::Lost;
    return state_;
}

void BenchClient::on_connecting(Tally& tally) {
    const auto progress = connection_.shake_hands();
    if (progress == TlsConnection::Progress::Done) state_ = State::Idle;
    if (progress == TlsConnection::Progress::Closed) lose(tally, "handshake: ");
}

// Edge-triggered: reads until the answer is complete or the socket is empty. What may follow a
// complete answer (a session ticket, a goodbye) is met when the next answer arrives.
void BenchClient::on_busy(Tally& tally) {
    flush();
    if (!unsent_.empty()) return;
    for (;;) {
        const auto progress = connection_.receive();
        if (progress == TlsConnection::Progress::Again) return;
        if (progress == TlsConnection::Progress::Closed) return lose(tally, "");
        const auto response = parse_response(connection_.received());
        if (response.state == ParsedResponse::State::Incomplete) continue;
        if (response.state == ParsedResponse::State::Malformed) return lose(tally, "malformed: ");
        return on_response(response, tally);
    }
}

void BenchClient::on_response(const ParsedResponse& response, Tally& tally) {
    server_closes_ = response.closes;
    const auto size = response.size;
    switch (step_) {
        case Step::Create:
            if (response.status != kCreated) fail(response, tally);
            connection_.consume(size);
            state_ = State::Idle;
            return;
        case Step::Acquire: return on_acquired(response, tally);
        case Step::Refund: return on_refunded(response, tally);
        case Step::Release:
            mark_end_of(Step::Release);
            if (response.status != kNoContent) fail(response, tally);
            connection_.consume(size);
            state_ = State::Idle;
            return;
    }
}

void BenchClient::on_acquired(const ParsedResponse& response, Tally& tally) {
    const auto size = response.size;
    if (response.status == kLocked && options_.contend) {
        ++tally.contended;
        connection_.consume(size);
        return send(Step::Acquire);  // request_ still holds it
    }
    const bool is_granted =
        response.status == kCreated && !response.fence_token.empty() && !response.location.empty();
    if (!is_granted) {
        fail(response, tally);
        connection_.consume(size);
        state_ = State::Idle;
        return;
    }
    mark_end_of(Step::Acquire);
    lease_path_ = response.location;
    templates_.refund(request_, payment_, response.fence_token);
    connection_.consume(size);
    send(Step::Refund);
}

void BenchClient::on_refunded(const ParsedResponse& response, Tally& tally) {
    mark_end_of(Step::Refund);
    const bool is_last = options_.calls == 2;
    const bool is_done =
        response.status == kCreated && (!is_last || response.fence_status == "released");
    if (!is_done) fail(response, tally);
    connection_.consume(response.size);
    if (is_last && is_done) {
        mark_end_of(Step::Release);
        state_ = State::Idle;
        return;
    }
    templates_.release(request_, lease_path_);
    send(Step::Release);
}

void BenchClient::send(Step step) {
    step_ = step;
    state_ = State::Busy;
    unsent_ = request_;
    flush();
}

// A failure shows again, with its reason, at the next event.
void BenchClient::flush() {
    if (!unsent_.empty()) static_cast<void>(connection_.send(unsent_));
}

void BenchClient::fail(const ParsedResponse& response, Tally& tally) {
    cycle_.has_failed = true;
    tally.count_error(step_, response.status, response.body);
}

void BenchClient::lose(Tally& tally, std::string_view why) {
    cycle_.has_failed = true;
    tally.count_error(step_, kStatusConnectionLost,
                      std::string(why) + "connection lost: " + connection_.last_error());
    state_ = State::Lost;
}

void BenchClient::mark_end_of(Step step) {
    cycle_.marks[static_cast<std::size_t>(step)] = now_ns();
}

}  // namespace fencegate::bench
