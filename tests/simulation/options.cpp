#include "tests/simulation/options.hpp"

#include "tests/support/seeded_random.hpp"

#include <array>

namespace fencegate::simulation {
namespace {

constexpr std::array<std::string_view, kKinds> kNames{
    "crash",       "reboot",     "power-cut", "disk-error", "full-disk",  "restart",
    "restore",     "checkpoint", "stall",     "wall-jump",  "hours",      "loss",
    "duplicate",   "hold",       "pause",     "disconnect", "wait",       "keyed-acquire",
    "keyed-write", "last-write", "return",    "renew",      "release",    "break",
    "forge",       "zombie",     "capture",   "read",       "reused-key", "shared",
    "semaphore",   "several",    "run",       "election"};

// Some runs without, most with a little, some with a lot: a fault that is always there hides what
// only happens without it.
std::uint64_t draw_chance(testing::SeededRandom& random, std::uint64_t little,
                          std::uint64_t a_lot) {
    switch (random.below(4)) {
        case 0: return 0;
        case 1: return a_lot;
        default: return little;
    }
}

Duration draw_span(testing::SeededRandom& random, std::uint64_t from, std::uint64_t to) {
    return Duration(from + random.below(to - from));
}

// Each setting is off in most classes, so that each is met alone.
lockmgr::LockClass draw_class(testing::SeededRandom& random, std::string_view name) {
    const auto is_set = [&] { return random.below(5) == 0; };
    lockmgr::LockClass klass{.name = std::string(name)};
    klass.accepts_late_writes = random.below(3) == 0;
    if (is_set()) klass.max_hold = draw_span(random, 300, 4'000);
    if (is_set()) klass.lock_delay = draw_span(random, 20, 1'500);
    if (is_set()) klass.place_kept = Duration(0);
    if (is_set()) klass.place_kept = draw_span(random, 20, 1'500);
    if (random.below(3) == 0)
        klass.stalled_renewals_max = 1 + static_cast<std::int64_t>(random.below(2));
    if (is_set()) klass.waiters_per_lock_max = 1 + random.below(3);
    if (is_set()) klass.locks_per_principal_max = 1 + random.below(3);
    if (is_set()) klass.waiters_per_principal_max = 1 + random.below(3);
    return klass;
}

}  // namespace

bool needs_disk(Kind kind) noexcept {
    return kind == Kind::Reboot || kind == Kind::PowerCut || kind == Kind::Restore ||
           kind == Kind::Checkpoint;
}

std::string_view engine_name(Engine engine) noexcept {
    return engine == Engine::Memory ? "memory" : "sqlite";
}

std::optional<Engine> parse_engine(std::string_view name) {
    for (const auto engine : {Engine::Memory, Engine::Sqlite}) {
        if (engine_name(engine) == name) return engine;
    }
    return std::nullopt;
}

Engine engine_of(const Options& options) {
    if (options.engine) return *options.engine;
    testing::SeededRandom random(options.seed ^ 0xe9617e);
    const bool has_disk = draw_settings(options).fault_chance > 0 && random.below(3) == 0;
    return has_disk ? Engine::Sqlite : Engine::Memory;
}

std::string_view kind_name(Kind kind) noexcept { return kNames[static_cast<std::size_t>(kind)]; }

std::optional<Kinds> parse_kinds(std::string_view names) {
    Kinds kinds;
    while (!names.empty()) {
        const auto name = names.substr(0, names.find(','));
        std::size_t at = 0;
        while (at < kKinds && kNames[at] != name) ++at;
        if (at == kKinds) return std::nullopt;
        kinds.set(at);
        names.remove_prefix(std::min(names.size(), name.size() + 1));
    }
    return kinds;
}

std::string kind_names(const Kinds& kinds) {
    std::string names;
    for (std::size_t at = 0; at < kKinds; ++at) {
        if (!kinds[at]) continue;
        if (!names.empty()) names += ',';
        names += kNames[at];
    }
    return names;
}

std::string arguments(const Options& options) {
    auto text = "--seed " + std::to_string(options.seed) + " --engine " +
                std::string(engine_name(engine_of(options))) + " --steps " +
                std::to_string(options.steps);
    if (options.clients != 0) text += " --clients " + std::to_string(options.clients);
    if (options.without.any()) text += " --without " + kind_names(options.without);
    return text;
}

Settings draw_settings(const Options& options) {
    testing::SeededRandom random(options.seed ^ 0x5e771265);
    Settings settings;
    settings.clients = 2 + random.below(5);
    if (options.clients != 0) settings.clients = options.clients;
    settings.principals = 1 + random.below(3);
    settings.payments = 1 + random.below(3);
    settings.other_locks = random.below(3);
    settings.permits = 1 + static_cast<std::int64_t>(random.below(3));
    for (const auto* name : {"payments", "jobs", "pools", "elections", "runs"})
        settings.classes.push_back(draw_class(random, name));
    settings.retention = {.idempotency = std::chrono::hours(1 + random.below(3)),
                          .history = std::chrono::hours(1 + random.below(3))};
    settings.has_long_leases = random.below(2) == 0;
    if (random.below(4) == 0)
        settings.wait_limits = {.per_lock_max = 1 + random.below(3),
                                .total_max = 2 + random.below(3)};
    settings.batch_max = 1 + random.below(12);
    settings.fault_chance = draw_chance(random, 5, 25);
    settings.stall_chance = draw_chance(random, 20, 400);
    settings.stall_max = random.below(2) == 0 ? Duration(300) : Duration(4'000);
    settings.loss_chance = draw_chance(random, 20, 100);
    settings.duplicate_chance = draw_chance(random, 30, 200);
    settings.hold_chance = draw_chance(random, 20, 120);
    settings.pause_chance = draw_chance(random, 30, 150);
    settings.zombie_chance = draw_chance(random, 60, 250);
    if (random.below(3) == 0 && options.allows(Kind::Hours)) settings.hour_chance = 30;
    if (settings.hour_chance > 0) {
        for (auto& klass : settings.classes) klass.ttl_max = std::chrono::hours(24);
    }
    settings.renew_chance = draw_chance(random, 150, 600);
    settings.shared_chance = draw_chance(random, 250, 600);
    settings.semaphore_chance = draw_chance(random, 120, 600);
    settings.several_chance = draw_chance(random, 200, 500);
    settings.run_chance = draw_chance(random, 80, 500);
    settings.election_chance = draw_chance(random, 60, 400);
    settings.last_write_chance = draw_chance(random, 250, 900);
    return settings;
}

}  // namespace fencegate::simulation
