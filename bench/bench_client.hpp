#pragma once
// One client: a connection and the cycle acquire -> fenced refund -> release that runs on it; of
// two calls the refund releases as well.
//
// Owns no policy: what to run next, and what counts, is the Worker's.
// Thread rule: one thread. Errors: counted in the Tally; an answer that was not expected ends the
// cycle as failed, after its lease was released; a lost connection leaves the state Lost.

#include "bench/request_templates.hpp"
#include "bench/response_parser.hpp"
#include "bench/tally.hpp"
#include "bench/tls_connection.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fencegate::bench {

struct Cycle {
    std::int64_t due_ns = 0;                            // latency counts from here
    std::array<std::int64_t, kCycleSteps + 1> marks{};  // start, then the end of each step
    bool has_failed = false;
};

class BenchClient {
public:
    enum class State { Connecting, Idle, Busy, Lost };

    BenchClient(const BenchOptions& options, std::string_view run, std::size_t number);

    void open(ssl_ctx_st* context, int epoll, std::uint64_t epoll_data);
    // REQUIRES: Idle.
    void start_create(std::size_t payment);
    void start_cycle(std::size_t payment, std::int64_t due_ns);
    // After an epoll event. Idle again means that what was started is over.
    State on_event(bool peer_has_closed, Tally& tally);

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] const Cycle& cycle() const { return cycle_; }
    [[nodiscard]] std::size_t number() const { return number_; }
    [[nodiscard]] const TlsConnection& connection() const { return connection_; }

private:
    void on_connecting(Tally& tally);
    void on_busy(Tally& tally);
    void on_response(const ParsedResponse& response, Tally& tally);
    void on_acquired(const ParsedResponse& response, Tally& tally);
    void on_refunded(const ParsedResponse& response, Tally& tally);
    void send(Step step);
    void flush();
    void fail(const ParsedResponse& response, Tally& tally);
    void lose(Tally& tally, std::string_view why);
    void mark_end_of(Step step);

    const BenchOptions& options_;
    std::size_t number_;
    RequestTemplates templates_;
    TlsConnection connection_;
    State state_ = State::Lost;
    Step step_ = Step::Create;
    std::size_t payment_ = 0;
    std::string request_;
    std::string_view unsent_;  // of request_
    std::string lease_path_;
    Cycle cycle_;
    bool server_closes_ = false;
};

}  // namespace fencegate::bench
