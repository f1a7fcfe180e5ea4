#include "proxy/config/config.hpp"

#include "base/start_failure.hpp"
#include "proxy/config/toml_reader.hpp"

#include <algorithm>
#include <array>

namespace fencegate::proxy {
namespace {

using namespace std::chrono_literals;
using lockmgr::LockClass;

// One row per setting: a new one needs a member, a row, and a line in docs/operations.md.
template <class Owner>
struct DurationKey {
    std::string_view name;
    Duration Owner::*member;
    Duration min;
    Duration max;
};

struct CountKey {
    std::string_view name;
    std::size_t Config::*member;
    std::int64_t min;
    std::int64_t max;
};

struct ClassCountKey {
    std::string_view name;
    std::size_t LockClass::*member;
    std::int64_t max;
};

struct EndpointKey {
    std::string_view name;
    Endpoint Config::*member;
};

constexpr std::array kEndpointKeys{
    EndpointKey{"listen", &Config::listen},
    EndpointKey{"admin_listen", &Config::admin_listen},
};

constexpr std::array<std::string_view, 4> kTextKeys{"data_dir", "backup_dir", "ready_file",
                                                    "access_log"};

constexpr std::array kCountKeys{
    CountKey{"io_threads", &Config::io_threads, 0, 1'024},
    CountKey{"connections_max", &Config::connections_max, 1, 1'000'000},
    CountKey{"requests_per_connection_max", &Config::requests_per_connection_max, 1, 1'000'000'000},
    CountKey{"header_bytes_max", &Config::header_bytes_max, 1'024, 1'048'576},
    CountKey{"body_bytes_max", &Config::body_bytes_max, 1'024, 16'777'216},
    CountKey{"command_queue_max", &Config::command_queue_max, 1, 1'048'576},
    CountKey{"batch_commands_max", &Config::batch_commands_max, 1, 65'536},
    CountKey{"waiters_per_lock_max", &Config::waiters_per_lock_max, 0, 1'000'000},
    CountKey{"waiters_max", &Config::waiters_max, 0, 1'000'000},
    CountKey{"watchers_max", &Config::watchers_max, 0, 1'000'000},
    CountKey{"statements_max", &Config::statements_max, 0, 1'000'000},
    CountKey{"watch_events_max", &Config::watch_events_max, 1, 1'048'576},
};

constexpr std::array kDurationKeys{
    DurationKey<Config>{"handshake_timeout", &Config::handshake_timeout, 100ms, 10min},
    DurationKey<Config>{"header_timeout", &Config::header_timeout, 100ms, 10min},
    DurationKey<Config>{"body_timeout", &Config::body_timeout, 100ms, 1h},
    DurationKey<Config>{"idle_timeout", &Config::idle_timeout, 100ms, 24h},
    DurationKey<Config>{"write_timeout", &Config::write_timeout, 100ms, 1h},
    DurationKey<Config>{"drain_timeout", &Config::drain_timeout, 0ms, 1h},
    DurationKey<Config>{"wait_max", &Config::wait_max, 0ms, 1h},
    DurationKey<Config>{"idempotency_retention", &Config::idempotency_retention, 24h, 24h * 3'650},
    DurationKey<Config>{"authorization_lifetime", &Config::authorization_lifetime, 1h, 24h * 3'650},
    DurationKey<Config>{"history_retention", &Config::history_retention, 1h, 24h * 3'650},
    DurationKey<Config>{"watch_heartbeat", &Config::watch_heartbeat, 100ms, 10min},
};

// Below 10 ms a lease ends before its grant is on disk; above a day nobody notices a dead holder.
constexpr std::array kClassDurationKeys{
    DurationKey<LockClass>{"ttl_min", &LockClass::ttl_min, 10ms, 24h},
    DurationKey<LockClass>{"ttl_max", &LockClass::ttl_max, 10ms, 24h},
    DurationKey<LockClass>{"ttl_default", &LockClass::ttl_default, 10ms, 24h},
    DurationKey<LockClass>{"max_hold", &LockClass::max_hold, 0ms, 24h * 365},
    DurationKey<LockClass>{"lock_delay", &LockClass::lock_delay, 0ms, 1h},
    DurationKey<LockClass>{"place_kept", &LockClass::place_kept, 0ms, 10min},
};

constexpr std::array kClassCountKeys{
    ClassCountKey{"waiters_per_lock_max", &LockClass::waiters_per_lock_max, 1'000'000},
    ClassCountKey{"locks_per_principal_max", &LockClass::locks_per_principal_max, 100'000'000},
    ClassCountKey{"waiters_per_principal_max", &LockClass::waiters_per_principal_max, 1'000'000},
};

constexpr std::string_view kLogFormat = "log_format";
constexpr std::string_view kStore = "store";
constexpr std::string_view kKind = "kind";
constexpr std::string_view kUrl = "url";
constexpr std::string_view kMetrics = "metrics";
constexpr std::string_view kAnonymous = "anonymous";
constexpr std::string_view kClass = "class";
constexpr std::string_view kLateWrites = "late_writes";
constexpr std::string_view kStalledRenewals = "stalled_renewals_max";
constexpr std::int64_t kStalledRenewalsMax = 1'000'000;
constexpr std::size_t kClassesMax = 256;  // each is a label value on a dozen metrics

template <class Keys>
auto find_key(const Keys& keys, std::string_view name) {
    const auto found =
        std::ranges::find_if(keys, [&](const auto& key) { return key.name == name; });
    return found == keys.end() ? nullptr : &*found;
}

// Stores a value that was read, or passes its error on.
template <class T, class Target>
Result<> store(Result<T> value, Target& target) {
    if (!value) return std::unexpected(std::move(value.error()));
    target = static_cast<Target>(std::move(*value));
    return {};
}

class ConfigReader {
public:
    ConfigReader(const TomlFile& file, Config& config) : file_(file), config_(config) {}

    Result<> read() {
        for (const auto& [key, node] : file_.root()) {
            if (auto entry = read_entry(key, node); !entry) return entry;
        }
        return {};
    }

private:
    Result<> read_entry(const toml::key& key, const toml::node& node) {
        const auto name = key.str();
        if (const auto* count = find_key(kCountKeys, name)) {
            return store(file_.integer(name, node, count->min, count->max), config_.*count->member);
        }
        if (const auto* duration = find_key(kDurationKeys, name)) {
            return store(file_.duration(name, node, duration->min, duration->max),
                         config_.*duration->member);
        }
        if (const auto* endpoint = find_key(kEndpointKeys, name)) {
            return read_endpoint(name, node, config_.*endpoint->member);
        }
        if (std::ranges::find(kTextKeys, name) != kTextKeys.end()) return read_text(name, node);
        if (name == kLogFormat) return read_log_format(node);
        if (name == kStore) return read_store(node);
        if (name == kMetrics) return read_metrics(node);
        if (name == kClass) return read_classes(node);
        return file_.refuse_unknown(key);
    }

    Result<> read_endpoint(std::string_view name, const toml::node& node, Endpoint& target) {
        const auto text = file_.text(name, node);
        if (!text) return std::unexpected(text.error());
        auto endpoint = parse_endpoint(*text);
        if (!endpoint) return file_.refuse(node, endpoint.error().detail);
        target = std::move(*endpoint);
        return {};
    }

    Result<> read_text(std::string_view name, const toml::node& node) {
        auto text = file_.text(name, node);
        if (!text) return std::unexpected(std::move(text.error()));
        if (text->empty() || text->find('\0') != std::string::npos) {
            return file_.refuse(node, "`" + std::string(name) + "` must name a file; or remove it");
        }
        if (name == "data_dir") config_.data_dir = *text;
        if (name == "backup_dir") config_.backup_dir = *text;
        if (name == "ready_file") config_.ready_file = *text;
        if (name == "access_log") config_.access_log = *text;
        return {};
    }

    Result<> read_log_format(const toml::node& node) {
        const auto text = file_.text(kLogFormat, node);
        if (!text) return std::unexpected(text.error());
        const auto format = parse_log_format(*text);
        if (!format)
            return file_.refuse(node, "`log_format` must be \"text\" or \"json\"; change it");
        config_.log_format = *format;
        return {};
    }

    Result<> read_store(const toml::node& node) {
        const auto* table = node.as_table();
        if (table == nullptr) return file_.refuse(node, "`store` must be a table: [store]");
        for (const auto& [key, value] : *table) {
            if (key.str() != kKind && key.str() != kUrl) return file_.refuse_unknown(key);
            auto text = file_.text(key.str(), value);
            if (!text) return std::unexpected(std::move(text.error()));
            if (key.str() == kUrl) {
                config_.store_url = *std::move(text);
            } else if (*text == "sqlite" || *text == "postgres") {
                config_.store_kind = *text == "sqlite" ? StoreKind::Sqlite : StoreKind::Postgres;
            } else {
                return file_.refuse(value, "`kind` must be \"sqlite\" or \"postgres\"; change it");
            }
        }
        return {};
    }

    Result<> read_metrics(const toml::node& node) {
        const auto* table = node.as_table();
        if (table == nullptr) return file_.refuse(node, "`metrics` must be a table: [metrics]");
        for (const auto& [key, value] : *table) {
            if (key.str() != kAnonymous) return file_.refuse_unknown(key);
            auto stored = store(file_.boolean(key.str(), value), config_.metrics_anonymous);
            if (!stored) return stored;
        }
        return {};
    }

    Result<> read_classes(const toml::node& node) {
        const auto* classes = node.as_table();
        if (classes == nullptr) {
            return file_.refuse(node, "`class` must be tables, one a class: [class.payments]");
        }
        for (const auto& [key, value] : *classes) {
            if (auto entry = read_class(key, value); !entry) return entry;
        }
        return {};
    }

    Result<> read_class(const toml::key& name, const toml::node& node) {
        const auto* table = node.as_table();
        if (table == nullptr || !lockmgr::is_lock_segment(name.str())) {
            return file_.refuse(node,
                                "a lock class is a table called like the first segment of "
                                "the lock names it is for: [class.payments]");
        }
        auto& lock_class = class_named(name.str());
        for (const auto& [key, value] : *table) {
            if (auto entry = read_class_entry(key, value, lock_class); !entry) return entry;
        }
        if (config_.classes.size() > kClassesMax) {
            return file_.refuse(node, "more than " + std::to_string(kClassesMax) +
                                          " lock classes; let some names share \"other\"");
        }
        if (lock_class.ttl_min <= lock_class.ttl_default &&
            lock_class.ttl_default <= lock_class.ttl_max) {
            return {};
        }
        return file_.refuse(node, "class \"" + lock_class.name + "\" has ttl_min " +
                                      duration_text(lock_class.ttl_min) + ", ttl_default " +
                                      duration_text(lock_class.ttl_default) + ", ttl_max " +
                                      duration_text(lock_class.ttl_max) +
                                      "; make them rise in this order");
    }

    Result<> read_class_entry(const toml::key& key, const toml::node& node, LockClass& lock_class) {
        const auto name = key.str();
        if (const auto* duration = find_key(kClassDurationKeys, name)) {
            return store(file_.duration(name, node, duration->min, duration->max),
                         lock_class.*duration->member);
        }
        if (const auto* count = find_key(kClassCountKeys, name)) {
            return store(file_.integer(name, node, 0, count->max), lock_class.*count->member);
        }
        if (name == kStalledRenewals) {
            return store(file_.integer(name, node, 0, kStalledRenewalsMax),
                         lock_class.stalled_renewals_max);
        }
        if (name != kLateWrites) return file_.refuse_unknown(key);
        const auto text = file_.text(name, node);
        if (!text) return std::unexpected(text.error());
        if (*text != "accept" && *text != "refuse") {
            return file_.refuse(node, "`late_writes` must be \"accept\" or \"refuse\"; change it");
        }
        lock_class.accepts_late_writes = *text == "accept";
        return {};
    }

    // The default class "payments" is there already and is adjusted, not doubled.
    LockClass& class_named(std::string_view name) {
        const auto found = std::ranges::find(config_.classes, name, &LockClass::name);
        if (found != config_.classes.end()) return *found;
        return config_.classes.emplace_back(LockClass{.name = std::string(name)});
    }

    const TomlFile& file_;
    Config& config_;
};

// The system would let both be opened (SO_REUSEPORT) and the admin API would be reached by chance.
bool overlap(const Endpoint& left, const Endpoint& right) {
    if (left.port == 0 || left.port != right.port) return false;
    return left.host == right.host || is_wildcard(left) || is_wildcard(right);
}

std::string setting(std::string_view name, std::size_t value) {
    return std::string(name).append(" (").append(std::to_string(value)).append(")");
}

}  // namespace

Result<Config> load_config(const std::filesystem::path& path) {
    const auto file = TomlFile::load(path);
    if (!file) return std::unexpected(file.error());
    Config config;
    if (auto read = ConfigReader(*file, config).read(); !read) return std::unexpected(read.error());
    if (auto sound = check_config(config); !sound) return file->refuse(sound.error().detail);
    return config;
}

Result<> check_config(const Config& config) {
    if (overlap(config.listen, config.admin_listen)) {
        return fail_start(StartFailure::BadConfig,
                          "listen (" + to_string(config.listen) + ") and admin_listen (" +
                              to_string(config.admin_listen) +
                              ") are in each other's way; give one of them another port");
    }
    if ((config.store_kind == StoreKind::Postgres) == config.store_url.empty()) {
        return fail_start(StartFailure::BadConfig,
                          "[store] has a url if its kind is \"postgres\", and only then");
    }
    if (config.batch_commands_max > config.command_queue_max) {
        return fail_start(StartFailure::BadConfig,
                          setting("batch_commands_max", config.batch_commands_max) +
                              " is more than the queue can hold; raise " +
                              setting("command_queue_max", config.command_queue_max));
    }
    if (config.waiters_per_lock_max > config.waiters_max) {
        return fail_start(StartFailure::BadConfig,
                          setting("waiters_per_lock_max", config.waiters_per_lock_max) +
                              " is more than all locks together may have; raise " +
                              setting("waiters_max", config.waiters_max));
    }
    return {};
}

bool metrics_are_anonymous(const Config& config) {
    return config.metrics_anonymous.value_or(is_loopback(config.admin_listen));
}

std::filesystem::path backup_folder(const Config& config) {
    return config.backup_dir.empty() ? config.data_dir / "backups" : config.backup_dir;
}

std::vector<std::string> config_keys() {
    std::vector<std::string> keys(kTextKeys.begin(), kTextKeys.end());
    for (const auto& key : kEndpointKeys) keys.emplace_back(key.name);
    for (const auto& key : kCountKeys) keys.emplace_back(key.name);
    for (const auto& key : kDurationKeys) keys.emplace_back(key.name);
    for (const auto& key : kClassDurationKeys)
        keys.push_back("class.NAME." + std::string(key.name));
    for (const auto& key : kClassCountKeys) keys.push_back("class.NAME." + std::string(key.name));
    keys.emplace_back(kLogFormat);
    keys.emplace_back("class.NAME.late_writes");
    keys.push_back("class.NAME." + std::string(kStalledRenewals));
    keys.emplace_back("metrics.anonymous");
    keys.emplace_back("store.kind");
    keys.emplace_back("store.url");
    std::ranges::sort(keys);
    return keys;
}

}  // namespace fencegate::proxy
