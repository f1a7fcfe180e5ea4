#include "storage/documents/advice_document.hpp"

#include "base/json_writer.hpp"

namespace fencegate::storage {
namespace {

void write_count(JsonWriter& json, std::string_view name, std::uint64_t count) {
    json.member(name, static_cast<std::int64_t>(count));
}

void write_spread(JsonWriter& json, std::string_view name, const lockmgr::Spread& spread) {
    if (spread.count == 0) return;
    json.key(name)
        .begin_object()
        .member("p50", spread.p50.count())
        .member("p99", spread.p99.count())
        .member("max", spread.max.count())
        .end_object();
}

void write_left(JsonWriter& json, std::string_view name, std::optional<std::int64_t> percent) {
    if (percent) json.member(name, *percent);
}

}  // namespace

std::string advice_document(const lockmgr::LockClass& klass, const lockmgr::TtlFigures& figures,
                            std::chrono::seconds window) {
    const auto advice = lockmgr::advise_ttl(figures, klass);
    std::string text;
    JsonWriter json(text);
    json.begin_object()
        .member("class", klass.name)
        .member("verdict", ttl_verdict_name(advice.verdict))
        .member("advice", advice.sentence);
    if (advice.suggested) json.member("suggested_ttl_ms", advice.suggested->count());
    json.member("ttl_default_ms", klass.ttl_default.count())
        .member("ttl_ms", figures.ttl.count())
        .member("window_seconds", std::int64_t{window.count()});
    write_count(json, "leases", figures.leases);
    write_count(json, "expired", figures.expired);
    write_count(json, "renewals", figures.renewals);
    write_count(json, "late_writes", figures.late_writes);
    write_count(json, "late_returns", figures.late_returns);
    write_spread(json, "hold_ms", figures.hold);
    write_spread(json, "needed_ms", figures.needed);
    json.key("percent_left_p1").begin_object();
    write_left(json, "release", figures.left_at_release);
    write_left(json, "write", figures.left_at_write);
    write_left(json, "renewal", figures.left_at_renewal);
    json.end_object().end_object();
    return text;
}

}  // namespace fencegate::storage
