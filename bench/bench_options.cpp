#include "bench/bench_options.hpp"

#include <charconv>
#include <fstream>

namespace fencegate::bench {
namespace {

constexpr std::string_view kUsage = R"(usage: fencegate_bench_critical_section [options]

  --host H            address of the gateway, an IP (127.0.0.1)
  --port P            its port (8443)
  --ca FILE           the CA that signed its certificate (required)
  --key K             API key; or --key-file FILE (one of them required)
  --clients N         connections, each with one cycle at a time (32)
  --threads N         client threads that share the connections (1)
  --calls 3|2         of a cycle: acquire, refund, release; 2: the refund releases as well, by
                      X-Fence-Release (3)
  --payments N        payments created first (10000)
  --existing          create none: the store was filled by fencegate_bench_fill_payments with
                      that many; each client picks among its own at random
  --seconds S         how long to count (10); or --operations N cycles
  --warmup S          cycles run before counting starts (2)
  --open-loop RATE    cycles are due at a fixed rate; latency counts from when they were due
  --contend           pick payments at random: 423 is counted and tried again
  --ttl-ms N          lease TTL (30000)
  --wait-ms N         let the gateway queue an acquire that long (0)
  --keys uuid|ordered idempotency keys: random UUIDs (default) or counted up for each client
  --server-pid PID    also report the CPU and disk writes of that process
  --json              one JSON object on standard output
)";

class Parser {
public:
    explicit Parser(std::span<const char* const> arguments) : arguments_(arguments) {}

    bool parse(BenchOptions& options) {
        while (error_.empty() && !arguments_.empty()) {
            const std::string_view name = arguments_.front();
            arguments_ = arguments_.subspan(1);
            if (!take_flag(options, name) && !take_value(options, name)) {
                complain("unknown option " + std::string(name));
            }
        }
        check(options);
        return error_.empty();
    }

    [[nodiscard]] const std::string& error() const { return error_; }

private:
    static bool take_flag(BenchOptions& options, std::string_view name) {
        if (name == "--contend") return options.contend = true;
        if (name == "--existing") return options.existing = true;
        if (name == "--json") return options.json = true;
        return false;
    }

    bool take_value(BenchOptions& options, std::string_view name) {
        if (name == "--host") return text(name, options.host);
        if (name == "--port") return number(name, options.port);
        if (name == "--ca") return text(name, options.ca_file);
        if (name == "--key") return text(name, options.key);
        if (name == "--key-file") return key_file(name, options.key);
        if (name == "--clients") return number(name, options.clients);
        if (name == "--calls") return number(name, options.calls);
        if (name == "--threads") return number(name, options.threads);
        if (name == "--payments") return number(name, options.payments);
        if (name == "--seconds") return number(name, options.seconds);
        if (name == "--warmup") return number(name, options.warmup);
        if (name == "--operations") return number(name, options.operations);
        if (name == "--open-loop") return number(name, options.open_loop_rate);
        if (name == "--ttl-ms") return number(name, options.ttl_ms);
        if (name == "--wait-ms") return number(name, options.wait_ms);
        if (name == "--server-pid") return number(name, options.server_pid);
        if (name == "--keys") return keys(name, options.ordered_keys);
        return false;
    }

    bool text(std::string_view name, std::string& value) {
        if (arguments_.empty()) {
            complain(std::string(name) + " needs a value");
            return true;
        }
        value = arguments_.front();
        arguments_ = arguments_.subspan(1);
        return true;
    }

    template <typename Number>
    bool number(std::string_view name, Number& value) {
        std::string word;
        text(name, word);
        const auto end = word.data() + word.size();
        const auto parsed = std::from_chars(word.data(), end, value);
        if (parsed.ec != std::errc{} || parsed.ptr != end || value < 0) {
            complain(std::string(name) + " needs a number, not \"" + word + "\"");
        }
        return true;
    }

    bool key_file(std::string_view name, std::string& key) {
        std::string file;
        text(name, file);
        std::ifstream in(file);
        if (!(in >> key)) complain("cannot read a key from \"" + file + "\"");
        return true;
    }

    bool keys(std::string_view name, bool& ordered) {
        std::string kind;
        text(name, kind);
        ordered = kind == "ordered";
        if (!ordered && kind != "uuid") complain("--keys is uuid or ordered");
        return true;
    }

    void check(const BenchOptions& options) {
        if (options.ca_file.empty()) complain("--ca is required");
        if (options.key.empty()) complain("--key or --key-file is required");
        if (options.clients == 0 || options.threads == 0 || options.payments == 0) {
            complain("--clients, --threads and --payments must not be 0");
        }
        if (options.calls != 2 && options.calls != 3) complain("--calls is 2 or 3");
        if (options.threads > options.clients) complain("more --threads than --clients");
        if (!options.contend && options.payments < options.clients) {
            complain("fewer --payments than --clients need --contend");
        }
    }

    void complain(std::string what) {
        if (error_.empty()) error_ = std::move(what);
    }

    std::span<const char* const> arguments_;
    std::string error_;
};

}  // namespace

std::expected<BenchOptions, std::string> parse_options(std::span<const char* const> arguments) {
    BenchOptions options;
    Parser parser(arguments);
    if (!parser.parse(options)) return std::unexpected(parser.error());
    return options;
}

std::string_view usage() { return kUsage; }

}  // namespace fencegate::bench
