#include "bench/report.hpp"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <string_view>

namespace fencegate::bench {
namespace {

struct Quantile {
    const char* name;
    double fraction;
};
constexpr std::array<Quantile, 3> kQuantiles{{{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}}};

// std::format is missing from libstdc++ 12.
[[gnu::format(printf, 2, 3)]] void append(std::string& out, const char* format, ...) {
    std::array<char, 512> text{};
    va_list arguments;
    va_start(arguments, format);
    const int size = std::vsnprintf(text.data(), text.size(), format, arguments);
    va_end(arguments);
    if (size > 0)
        out.append(text.data(), std::min(static_cast<std::size_t>(size), text.size() - 1));
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        const bool is_control = static_cast<unsigned char>(c) < 0x20;
        if (is_control) append(out, "\\u%04x", static_cast<unsigned>(c));
        if (!is_control) out += c;
    }
    return out + '"';
}

// Everything is given per safe refund: that is what a user pays for.
class PerOperation {
public:
    explicit PerOperation(const Figures& figures)
        : operations_(
              static_cast<double>(std::max<std::uint64_t>(1, figures.tally.cycles.count()))) {}

    [[nodiscard]] double us(std::int64_t ns) const {
        return static_cast<double>(ns) / 1'000 / operations_;
    }
    [[nodiscard]] double bytes(std::uint64_t count) const {
        return static_cast<double>(count) / operations_;
    }

private:
    double operations_;
};

double per_second(const Figures& figures) {
    return figures.seconds > 0 ? static_cast<double>(figures.tally.cycles.count()) / figures.seconds
                               : 0;
}

void text_latency(std::string& out, std::string_view name, const Histogram& histogram) {
    append(out, "  %-10.*s", static_cast<int>(name.size()), name.data());
    for (const auto& quantile : kQuantiles) {
        append(out, " %10.3f", static_cast<double>(histogram.percentile(quantile.fraction)) / 1e6);
    }
    append(out, " %10.3f %10.3f\n", static_cast<double>(histogram.max()) / 1e6,
           histogram.mean() / 1e6);
}

void text_cpu(std::string& out, std::string_view name, const CpuTime& cpu,
              const PerOperation& per) {
    append(out, "  %-18.*s %8.1f %8.1f %8.1f\n", static_cast<int>(name.size()), name.data(),
           per.us(cpu.user_ns), per.us(cpu.system_ns), per.us(cpu.total_ns()));
}

void json_latency(std::string& out, std::string_view name, const Histogram& histogram) {
    out += quoted(name) + ":{";
    for (const auto& quantile : kQuantiles) {
        append(out, "\"%s\":%.1f,", quantile.name,
               static_cast<double>(histogram.percentile(quantile.fraction)) / 1e3);
    }
    append(out, "\"max\":%.1f,\"mean\":%.1f}", static_cast<double>(histogram.max()) / 1e3,
           histogram.mean() / 1e3);
}

void json_cpu(std::string& out, const CpuTime& cpu, const PerOperation& per) {
    append(out, "\"user_us\":%.2f,\"system_us\":%.2f,\"total_us\":%.2f", per.us(cpu.user_ns),
           per.us(cpu.system_ns), per.us(cpu.total_ns()));
}

void json_server(std::string& out, const ProcessUse& server, const PerOperation& per) {
    out += ",\"server_cpu\":{";
    json_cpu(out, server.cpu, per);
    append(out, "},\"server_written_bytes\":%.0f,\"server_threads\":[",
           per.bytes(server.written_bytes));
    for (const auto& thread : server.threads) {
        out += out.back() == '[' ? "{\"name\":" : ",{\"name\":";
        out += quoted(thread.name);
        append(out, ",\"threads\":%zu,", thread.threads);
        json_cpu(out, thread.cpu, per);
        out += '}';
    }
    out += ']';
}

}  // namespace

std::string text_report(const BenchOptions& options, const Figures& figures) {
    const auto& tally = figures.tally;
    const PerOperation per(figures);
    std::string out;
    append(
        out,
        "\n%.0f safe refunds/s   (%llu in %.2f s; %zu calls each, %zu clients, %zu payments, %s)\n",
        per_second(figures), static_cast<unsigned long long>(tally.cycles.count()), figures.seconds,
        options.calls, options.clients, options.payments, figures.cipher.c_str());
    if (options.open_loop_rate > 0) {
        append(out, "open loop, %.0f/s due; latency counts from when a cycle was due\n",
               options.open_loop_rate);
    }
    append(out, "\n  %-10s %10s %10s %10s %10s %10s\n", "latency ms", "p50", "p99", "p99.9", "max",
           "mean");
    text_latency(out, "cycle", tally.cycles);
    for (std::size_t i = 0; i < options.calls; ++i) {
        text_latency(out, kCycleStepNames[i], tally.steps[i]);
    }
    append(out, "\n  %-18s %8s %8s %8s\n", "CPU us/refund", "user", "system", "total");
    text_cpu(out, "client", figures.client_cpu, per);
    if (figures.server) {
        text_cpu(out, "server", figures.server->cpu, per);
        for (const auto& thread : figures.server->threads) {
            text_cpu(out, "  " + thread.name + " x" + std::to_string(thread.threads), thread.cpu,
                     per);
        }
        append(out, "\n  server wrote %.0f bytes/refund\n",
               per.bytes(figures.server->written_bytes));
    }
    append(out, "\n  contended %llu, unfinished %llu, unexpected %llu\n",
           static_cast<unsigned long long>(tally.contended),
           static_cast<unsigned long long>(tally.unfinished),
           static_cast<unsigned long long>(tally.unexpected));
    for (const auto& [what, count] : tally.errors) {
        append(out, "  %s answered %d: %llu times\n", name_of(what.first).data(), what.second,
               static_cast<unsigned long long>(count));
    }
    if (!tally.first_error.empty()) out += "  the first: " + tally.first_error + "\n";
    return out;
}

std::string json_report(const BenchOptions& options, const Figures& figures) {
    const auto& tally = figures.tally;
    const PerOperation per(figures);
    std::string out;
    append(out, "{\"safe_refunds_per_second\":%.1f,\"operations\":%llu,\"seconds\":%.3f,",
           per_second(figures), static_cast<unsigned long long>(tally.cycles.count()),
           figures.seconds);
    append(
        out,
        "\"calls\":%zu,\"clients\":%zu,\"threads\":%zu,\"payments\":%zu,\"open_loop_rate\":%.1f,",
        options.calls, options.clients, options.threads, options.payments, options.open_loop_rate);
    out += std::string("\"contend\":") + (options.contend ? "true" : "false") +
           ",\"existing\":" + (options.existing ? "true" : "false") +
           ",\"keys\":" + (options.ordered_keys ? "\"ordered\"" : "\"uuid\"") +
           ",\"tls\":" + quoted(figures.cipher) + ",\"latency_us\":{";
    json_latency(out, "cycle", tally.cycles);
    for (std::size_t i = 0; i < options.calls; ++i) {
        out += ',';
        json_latency(out, kCycleStepNames[i], tally.steps[i]);
    }
    out += "},\"client_cpu\":{";
    json_cpu(out, figures.client_cpu, per);
    out += '}';
    if (figures.server) json_server(out, *figures.server, per);
    append(out, ",\"contended\":%llu,\"unfinished\":%llu,\"unexpected\":%llu,\"errors\":[",
           static_cast<unsigned long long>(tally.contended),
           static_cast<unsigned long long>(tally.unfinished),
           static_cast<unsigned long long>(tally.unexpected));
    for (const auto& [what, count] : tally.errors) {
        append(out, "%s{\"step\":\"%s\",\"status\":%d,\"count\":%llu}",
               out.back() == '[' ? "" : ",", name_of(what.first).data(), what.second,
               static_cast<unsigned long long>(count));
    }
    out += "],\"first_error\":" + quoted(tally.first_error) + "}\n";
    return out;
}

}  // namespace fencegate::bench
