#pragma once
// The four requests of the benchmark, formatted once: a request is then a few copies.
//
// Thread rule: one client's; owns its stream of idempotency keys. Errors: none.

#include "bench/bench_options.hpp"
#include "bench/payment_ids.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fencegate::bench {

class RequestTemplates {
public:
    // `run` makes this run's keys, and the payments it creates, differ from those of every other.
    RequestTemplates(const BenchOptions& options, std::string_view run, std::size_t client);

    // Each replaces the content of `out`.
    void create(std::string& out, std::size_t payment);
    void acquire(std::string& out, std::size_t payment) const;
    void refund(std::string& out, std::size_t payment, std::string_view fence_token);
    void release(std::string& out, std::string_view lease_path) const;

private:
    void append_id(std::string& out, std::size_t payment) const;
    void append_key(std::string& out);
    [[nodiscard]] std::uint64_t next_random();

    std::string common_;         // Host, Authorization
    std::string create_head_;    // up to the idempotency key
    std::string id_prefix_;      // of the payments created by this run
    std::string acquire_tail_;   // from behind the payment's id to the end
    std::string refund_middle_;  // up to the idempotency key
    std::string key_prefix_;
    std::uint64_t key_number_ = 0;
    std::uint64_t random_state_ = 0;
    bool ordered_keys_;
    bool existing_;
};

}  // namespace fencegate::bench
