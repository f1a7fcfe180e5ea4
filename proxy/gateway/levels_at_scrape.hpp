#pragma once
// LevelsAtScrape: the figures that nobody tells and a scrape asks for: how much waits, for how long
// something has been so, what room is left. So they are true while the disk hangs, too.
// Thread rule: refresh() on the admin thread. All that is given outlives this.

#include "proxy/net/connection.hpp"
#include "proxy/telemetry/access_log.hpp"
#include "proxy/telemetry/hold_ages.hpp"
#include "proxy/telemetry/metrics.hpp"
#include "storage/model/engine.hpp"

#include <filesystem>

namespace fencegate::proxy {

struct LevelSources {
    const storage::Engine& engine;
    const HoldAges& hold_ages;
    const AccessLog& access_log;
    const SessionShared& api_sessions;
    const Clock& machine_clock;
    std::filesystem::path data_dir;
};

class LevelsAtScrape {
public:
    LevelsAtScrape(Metrics& metrics, LevelSources sources)
        : metrics_(metrics), from_(std::move(sources)) {}

    void refresh(BootTime now);

private:
    Metrics& metrics_;
    LevelSources from_;
};

// What the configuration allows; `connections` may be less than it says.
[[nodiscard]] LimitsInForce limits_of(const Config& config, std::size_t connections,
                                      std::size_t admin_connections);

}  // namespace fencegate::proxy
