#pragma once
// What the benchmark was asked to do.
//
// Thread rule: a value, read-only once parsed. Errors: parse_options returns the complaint, or the
// usage text, as the unexpected value.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace fencegate::bench {

struct BenchOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8443;
    std::string ca_file;
    std::string key;
    std::size_t clients = 32;
    std::size_t payments = 10'000;
    std::size_t threads = 1;
    std::size_t calls = 3;  // of a cycle; 2: the refund also releases
    double seconds = 10;
    double warmup = 2;
    std::uint64_t operations = 0;  // 0: as many as fit into `seconds`
    double open_loop_rate = 0;     // cycles a second; 0: closed loop
    std::uint32_t ttl_ms = 30'000;
    std::uint32_t wait_ms = 0;
    pid_t server_pid = 0;
    bool contend = false;
    bool existing = false;  // the payments that fencegate_bench_fill_payments made
    bool ordered_keys = false;
    bool json = false;
};

[[nodiscard]] std::expected<BenchOptions, std::string> parse_options(
    std::span<const char* const> arguments);

[[nodiscard]] std::string_view usage();

}  // namespace fencegate::bench
