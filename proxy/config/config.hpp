#pragma once
// Config: everything an operator may set, and every limit of the gateway, named once with its
// default. A TOML key is spelt like the member it sets; docs/operations.md explains each.
//
// Owns: defaults, ranges and the relations between limits. Refuses to own: how a limit is enforced.
// Thread rule: a plain value; it is not changed after start-up, a reload makes a new one.
// Errors: load_config() fails with BadConfig (code InvalidArgument), "file:line:col: message; what
// to do", or CannotRead.

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "lockmgr/lock_class.hpp"
#include "proxy/config/endpoint.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fencegate::proxy {

// Where the store is.
enum class StoreKind : std::uint8_t {
    Sqlite,    // in the data folder
    Postgres,  // at store_url
};

struct Config {
    // Places. Relative paths are relative to the working directory.
    Endpoint listen{"127.0.0.1", 8443};                   // the API
    Endpoint admin_listen{"127.0.0.1", 9443};             // metrics, health, drain
    std::filesystem::path data_dir = "./fencegate-data";  // store, certificates, keys
    std::filesystem::path backup_dir{};                   // empty: data_dir/backups
    StoreKind store_kind = StoreKind::Sqlite;
    std::string store_url{};                 // may hold a password: never told
    std::filesystem::path ready_file{};      // written once requests are served; empty: none
    std::string access_log = "-";            // a path, "-" for stdout, "off"
    LogFormat log_format = LogFormat::Text;  // of what the gateway tells on stderr

    // Threads and connections.
    std::size_t io_threads = 0;                         // 0: one per core
    std::size_t connections_max = 10'000;               // about 60 KiB each when idle
    std::size_t requests_per_connection_max = 100'000;  // then the connection is closed politely

    // One request.
    std::size_t header_bytes_max = 16'384;                  // request line and all header fields
    std::size_t body_bytes_max = 65'536;                    // after removing the chunked framing
    Duration handshake_timeout = std::chrono::seconds(10);  // the whole TLS handshake
    Duration header_timeout = std::chrono::seconds(10);     // absolute, from the first byte
    Duration body_timeout = std::chrono::seconds(30);       // absolute, from the end of the header
    Duration idle_timeout = std::chrono::seconds(75);       // between two requests
    Duration write_timeout = std::chrono::seconds(30);      // until the client has taken the reply
    Duration drain_timeout = std::chrono::seconds(30);      // from SIGTERM to the hard stop

    // The store's queue. A full queue is answered 503, nothing done.
    std::size_t command_queue_max = 4'096;  // commands waiting for the store thread
    std::size_t batch_commands_max = 256;   // commands in one transaction and fsync

    // How long what is over is kept, counted in hours that the gateway runs.
    Duration idempotency_retention = std::chrono::hours(72);    // answers under their keys
    Duration history_retention = std::chrono::hours(168);       // leases that have ended
    Duration authorization_lifetime = std::chrono::hours(168);  // payments nobody captures

    // Waiting for locks.
    std::size_t waiters_per_lock_max = 10'000;
    std::size_t waiters_max = 100'000;             // over all locks
    Duration wait_max = std::chrono::seconds(60);  // longest wait_ms a client may ask for

    // Watchers: clients that follow events.
    std::size_t watchers_max = 1'024;
    std::size_t watch_events_max = 65'536;                // kept for them; under 1 KiB each
    Duration watch_heartbeat = std::chrono::seconds(15);  // when nothing happens

    // Statements that are written at once. Each holds a page of it, up to a megabyte.
    std::size_t statements_max = 64;

    // Who may read /metrics without a key. Not set: whoever reaches a loopback admin listener.
    std::optional<bool> metrics_anonymous{};

    // Lock classes, by name. LockClasses adds "other" for all names that belong to none of these.
    std::vector<lockmgr::LockClass> classes{lockmgr::LockClass{.name = "payments"}};
};

// Reads and checks a file; what it does not mention keeps its default.
[[nodiscard]] Result<Config> load_config(const std::filesystem::path& path);

// The relations between settings that no single setting shows. To be asked again after
// command-line options have changed a loaded Config. Fails with: BadConfig.
[[nodiscard]] Result<> check_config(const Config& config);

[[nodiscard]] bool metrics_are_anonymous(const Config& config);
[[nodiscard]] std::filesystem::path backup_folder(const Config& config);

// Every key a file may contain, e.g. "body_timeout", "class.NAME.ttl_max": for the documentation's
// test.
[[nodiscard]] std::vector<std::string> config_keys();

}  // namespace fencegate::proxy
