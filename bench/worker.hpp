#pragma once
// One thread of the benchmark: an epoll loop, its share of the clients and of the payments.
//
// Client c owns the payments c, c + clients, ... and nobody else touches them, unless --contend.
// It takes them in turn, or --existing ones at random: what was not touched lately costs most.
// Thread rule: one thread; what threads share is in Window and SetupProgress, all atomic.
// Errors: counted in the Tally; std::runtime_error when the set-up fails.

#include "bench/bench_client.hpp"
#include "bench/bench_options.hpp"
#include "bench/tally.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::bench {

// When cycles count. Written before the workers run, except for the atomics.
struct Window {
    std::int64_t begin_ns = 0;  // the first cycle, before the warm-up
    std::int64_t start_ns = 0;  // counting starts
    std::int64_t end_ns = std::numeric_limits<std::int64_t>::max();
    std::uint64_t operations = 0;  // 0: until end_ns
    std::atomic<std::uint64_t> counted{0};
    std::atomic<bool> is_over{false};  // begin no more cycles, whatever the time
};

struct SetupProgress {
    std::atomic<std::size_t> created{0};
};

class Worker {
public:
    Worker(const BenchOptions& options, std::string_view run, ssl_ctx_st* context,
           std::size_t thread);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Connects every client and creates this thread's payments, one request a connection at once.
    void create_payments(SetupProgress& progress);
    // Returns once every cycle begun has ended, or the time to drain is over.
    void run(Window& window);

    [[nodiscard]] const Tally& tally() const { return tally_; }
    [[nodiscard]] std::string cipher() const;

private:
    struct Member {
        BenchClient client;
        std::size_t next_payment;
        bool is_running = false;  // something was started that is not accounted for yet
    };

    void pump(std::int64_t timeout_ns);
    void on_settled(Member& member);
    void begin_create(Member& member);
    void begin_cycle(Member& member, std::int64_t due_ns);
    void begin_due_cycles(std::int64_t now);
    void account(const Cycle& cycle);
    void reopen(Member& member);
    void print_progress();
    [[nodiscard]] std::size_t pick_payment(Member& member);
    [[nodiscard]] std::uint64_t next_random();
    [[nodiscard]] std::int64_t due_of(std::uint64_t arrival) const;
    [[nodiscard]] std::int64_t idle_timeout(std::int64_t now) const;
    [[nodiscard]] bool has_ended(std::int64_t now) const;
    [[nodiscard]] bool has_backlog() const;
    void count_unfinished(std::int64_t now);

    const BenchOptions& options_;
    const bool is_open_loop_;
    ssl_ctx_st* context_;
    std::size_t thread_;
    int epoll_;
    std::vector<std::unique_ptr<Member>> members_;  // epoll_data is the index
    Tally tally_;
    std::size_t running_ = 0;

    // While payments are created.
    SetupProgress* setup_ = nullptr;
    std::size_t left_to_create_ = 0;
    std::int64_t printed_ns_ = 0;

    // While cycles run.
    Window* window_ = nullptr;
    std::deque<Member*> idle_;  // open loop: waiting for the next arrival
    std::uint64_t next_arrival_ = 0;
    std::uint64_t random_state_;
};

}  // namespace fencegate::bench
