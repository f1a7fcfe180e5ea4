#include "proxy/gateway/levels_at_scrape.hpp"

#include "proxy/config/config.hpp"
#include "storage/copies/store_facts.hpp"

namespace fencegate::proxy {

void LevelsAtScrape::refresh(BootTime now) {
    const auto load = from_.engine.load();
    metrics_.store_queue_depth(load.commands);
    metrics_.store_commit_running(now - load.busy_since.value_or(now));
    metrics_.clock_shown(now, from_.machine_clock.wall_now());
    const auto holds = from_.hold_ages.look(now);
    for (ClassId lock_class = 0; lock_class < holds.size(); ++lock_class)
        metrics_.lock_holds(lock_class, holds[lock_class]);
    metrics_.access_log_lost(from_.access_log.lost());
    metrics_.http_statements(from_.api_sessions.statements);
    const auto room = storage::room_of_store(from_.data_dir);
    metrics_.store_room(
        {.file = room.file_bytes, .free = room.free_bytes, .disk = room.disk_bytes});
}

LimitsInForce limits_of(const Config& config, std::size_t connections,
                        std::size_t admin_connections) {
    return {.connections = connections,
            .admin_connections = admin_connections,
            .commands = config.command_queue_max,
            .waiters = config.waiters_max,
            .watchers = config.watchers_max,
            .statements = config.statements_max,
            .wait = config.wait_max};
}

}  // namespace fencegate::proxy
