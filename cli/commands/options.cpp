#include "cli/commands/options.hpp"

#include "lockmgr/fencing_token.hpp"
#include "lockmgr/lock_name.hpp"

#include <CLI/CLI.hpp>

#include <vector>

namespace fencegate::cli {
namespace {

// What CLI11 fills in; texts become types in to_command().
struct RawOptions {
    std::optional<std::string> config_file;
    std::optional<std::string> data_dir;
    std::optional<std::string> listen;
    std::optional<std::string> admin_listen;
    std::optional<std::string> ready_file;
    std::optional<std::string> access_log;
    std::optional<std::string> log_format;
    std::string checked_file;
    std::string principal;
    std::vector<std::string> scopes;
    std::string key_id;
    std::optional<std::string> backup_file;
    std::optional<std::string> salvage_from;
    std::string salvage_to;
    std::int64_t epoch_above = 0;
    std::optional<std::string> url;
    std::optional<std::string> admin_url;
    std::optional<std::string> ca_file;
    std::optional<std::string> key_file;
    std::string prefix;
    bool reseals = false;
    bool is_once = false;
    std::optional<std::string> verified_file;
    std::optional<std::string> expected_head;
    bool is_online = false;
    bool is_json = false;
};

std::string endpoint_fault(const std::string& text) {
    const auto endpoint = proxy::parse_endpoint(text);
    return endpoint ? "" : endpoint.error().detail;
}

std::string scope_fault(const std::string& text) {
    const auto scopes = proxy::parse_scopes(std::span(&text, 1));
    return scopes ? "" : scopes.error().detail;
}

std::string principal_fault(const std::string& text) {
    return proxy::is_principal_name(text) ? "" : "must be 1 to 64 of A-Z a-z 0-9 . _ -";
}

std::string key_id_fault(const std::string& text) {
    return proxy::parse_key_id(text) ? "" : "must be 12 hex digits; see `fencegate key list`";
}

std::string head_fault(const std::string& text) {
    return storage::parse_journal_head(text) ? "" : "must be ID:SEAL as `fencegate verify` prints";
}

std::string path_fault(const std::string& text) { return text.empty() ? "must not be empty" : ""; }

std::string log_format_fault(const std::string& text) {
    return parse_log_format(text) ? "" : "must be text or json";
}

std::string prefix_fault(const std::string& text) {
    return lockmgr::is_lock_prefix(text) ? "" : "is the beginning of no lock name";
}

std::string url_fault(const std::string& text) {
    const auto address = parse_server_url(text);
    return address ? "" : address.error().detail;
}

// The tree of subcommands, with every value checked while it is parsed.
struct CommandTree {
    explicit CommandTree(RawOptions& raw) {
        app.require_subcommand(1);
        app.set_help_all_flag("--help-all", "Help for every command");
        add_serve(raw);
        add_config(raw);
        add_keys(raw);
        add_restore(raw);
        add_salvage(raw);
        add_top(raw);
        backup = app.add_subcommand("backup", "Have a running gateway write a backup");
        add_admin_connection(*backup, raw);
        add_verify(raw);
        version = app.add_subcommand("version", "Print the version");
    }

    void add_serve(RawOptions& raw) {
        serve = app.add_subcommand("serve", "Run the gateway until SIGTERM");
        serve->add_option("--config", raw.config_file, "Configuration file (TOML)")
            ->check(path_fault);
        add_data_dir(*serve, raw);
        serve
            ->add_option("--listen", raw.listen,
                         "Address of the API, e.g. 127.0.0.1:8443; port 0: any")
            ->check(endpoint_fault);
        serve->add_option("--admin-listen", raw.admin_listen, "Address of metrics and health")
            ->check(endpoint_fault);
        serve->add_option("--ready-file", raw.ready_file, "Written once requests are served")
            ->check(path_fault);
        serve->add_option("--access-log", raw.access_log, "A file, - for stdout, or off")
            ->check(path_fault);
        serve
            ->add_option("--log-format", raw.log_format,
                         "What stderr is told: text for people, json for machines")
            ->check(log_format_fault);
    }

    void add_config(RawOptions& raw) {
        auto* config = app.add_subcommand("config", "Work with configuration files");
        config->require_subcommand(1);
        check = config->add_subcommand("check", "Say whether a file is a sound configuration");
        check->add_option("FILE", raw.checked_file, "Configuration file (TOML)")
            ->required()
            ->check(path_fault);
    }

    void add_keys(RawOptions& raw) {
        auto* key = app.add_subcommand("key", "Manage API keys");
        key->require_subcommand(1);
        key_add = key->add_subcommand("add", "Make a key and print it, once");
        key_add->add_option("--principal", raw.principal, "Who will use it")
            ->required()
            ->check(principal_fault);
        key_add->add_option("--scope", raw.scopes, "What it may do; repeat for more. Default: *")
            ->check(scope_fault)
            ->take_all();
        key_list = key->add_subcommand("list", "List the keys, without their secrets");
        key_revoke = key->add_subcommand("revoke", "Make a key worthless");
        key_revoke->add_option("ID", raw.key_id, "The key's id, as `key list` shows it")
            ->required()
            ->check(key_id_fault);
        for (auto* command : {key_add, key_list, key_revoke}) add_data_dir(*command, raw);
    }

    void add_restore(RawOptions& raw) {
        restore = app.add_subcommand("restore",
                                     "Put a backup in place, or take over a store that was copied");
        add_data_dir(*restore, raw);
        restore
            ->add_option("--from", raw.backup_file, "The backup. Default: the store that is there")
            ->check(path_fault);
        restore
            ->add_option("--epoch-above", raw.epoch_above,
                         "The highest epoch used elsewhere, if this folder does not know it")
            ->check(CLI::Range(std::int64_t{0}, lockmgr::kTokenEpochMax - 1));
        restore->add_flag("--reseal", raw.reseals, "Take pages that lack their seal as they are");
    }

    void add_salvage(RawOptions& raw) {
        salvage = app.add_subcommand("salvage",
                                     "Make a new store of one whose log is damaged, as far as it "
                                     "can be read");
        add_data_dir(*salvage, raw);
        salvage
            ->add_option("--from", raw.salvage_from,
                         "A store under another name, such as store.db.replaced-TIME. Default: the "
                         "store in the data folder")
            ->check(path_fault)
            ->excludes("--data-dir");
        salvage->add_option("--to", raw.salvage_to, "The folder to make for the new store")
            ->required()
            ->check(path_fault);
    }

    void add_top(RawOptions& raw) {
        top = app.add_subcommand("top", "Show a running gateway's locks, live");
        add_api_connection(*top, raw);
        top->add_option("--prefix", raw.prefix, "Only locks whose name begins with this")
            ->check(prefix_fault);
        top->add_flag("--once", raw.is_once, "Print what is now, as text, and exit");
    }

    void add_verify(RawOptions& raw) {
        verify = app.add_subcommand("verify", "Check a store or backup, row by row");
        add_admin_connection(*verify, raw);
        auto* file = verify->add_option("--file", raw.verified_file,
                                        "A store or backup. Default: the data folder's store");
        file->check(path_fault);
        verify->add_flag("--online", raw.is_online, "Have a running gateway check what it serves")
            ->excludes(file);
        verify
            ->add_option("--expect-head", raw.expected_head,
                         "ID:SEAL that the journal had once and must still have")
            ->check(head_fault);
        verify->add_flag("--json", raw.is_json, "Print the report as one JSON document");
    }

    static void add_data_dir(CLI::App& command, RawOptions& raw) {
        command.add_option("--data-dir", raw.data_dir, "Data folder. Default: ./fencegate-data")
            ->check(path_fault);
    }

    // For a command that asks a running gateway, over its API or its admin listener.
    static void add_api_connection(CLI::App& command, RawOptions& raw) {
        command
            .add_option("--url", raw.url,
                        "Address of the API. Default: " + std::string(kDefaultUrl))
            ->envname("FENCEGATE_URL")
            ->check(url_fault);
        add_credentials(command, raw);
    }
    static void add_admin_connection(CLI::App& command, RawOptions& raw) {
        command
            .add_option("--admin", raw.admin_url,
                        "Address of the admin listener. Default: " + std::string(kDefaultAdminUrl))
            ->envname("FENCEGATE_ADMIN_URL")
            ->check(url_fault);
        add_credentials(command, raw);
    }
    static void add_credentials(CLI::App& command, RawOptions& raw) {
        add_data_dir(command, raw);
        command
            .add_option("--ca", raw.ca_file,
                        "CA of the gateway. Default: ca.pem of the data folder")
            ->envname("FENCEGATE_CA")
            ->check(path_fault);
        command
            .add_option("--key-file", raw.key_file,
                        "File with the API key. Default: api-key of the data folder")
            ->envname("FENCEGATE_KEY_FILE")
            ->check(path_fault);
    }

    CLI::App app{"fencegate: distributed locks made safe by fencing tokens", "fencegate"};
    CLI::App* serve = nullptr;
    CLI::App* check = nullptr;
    CLI::App* key_add = nullptr;
    CLI::App* key_list = nullptr;
    CLI::App* key_revoke = nullptr;
    CLI::App* restore = nullptr;
    CLI::App* salvage = nullptr;
    CLI::App* top = nullptr;
    CLI::App* backup = nullptr;
    CLI::App* verify = nullptr;
    CLI::App* version = nullptr;
};

// REQUIRES: the text has passed endpoint_fault().
std::optional<proxy::Endpoint> to_endpoint(const std::optional<std::string>& text) {
    if (!text) return std::nullopt;
    return proxy::parse_endpoint(*text).value();
}

ConnectionOptions to_connection(const RawOptions& raw) {
    return {.url = raw.url.value_or(kDefaultUrl),
            .admin_url = raw.admin_url.value_or(kDefaultAdminUrl),
            .data_dir = raw.data_dir,
            .ca_file = raw.ca_file,
            .key_file = raw.key_file};
}

Command to_command(const CommandTree& tree, const RawOptions& raw) {
    if (tree.serve->parsed()) {
        return ServeCommand{.config_file = raw.config_file,
                            .data_dir = raw.data_dir,
                            .listen = to_endpoint(raw.listen),
                            .admin_listen = to_endpoint(raw.admin_listen),
                            .ready_file = raw.ready_file,
                            .access_log = raw.access_log,
                            .log_format = raw.log_format.and_then(parse_log_format)};
    }
    if (tree.check->parsed()) return ConfigCheckCommand{.file = raw.checked_file};
    if (tree.top->parsed()) {
        return TopCommand{
            .connection = to_connection(raw), .prefix = raw.prefix, .is_once = raw.is_once};
    }
    if (tree.backup->parsed()) return BackupCommand{to_connection(raw)};
    const std::filesystem::path data_dir =
        raw.data_dir ? std::filesystem::path(*raw.data_dir) : proxy::Config().data_dir;
    if (tree.restore->parsed()) {
        storage::RestoreOptions options{
            .data_dir = data_dir, .epoch_above = raw.epoch_above, .reseals = raw.reseals};
        if (raw.backup_file) options.from = *raw.backup_file;
        return RestoreCommand{std::move(options)};
    }
    if (tree.salvage->parsed()) {
        storage::SalvageOptions options{.data_dir = data_dir, .to = raw.salvage_to};
        if (raw.salvage_from) options.from = *raw.salvage_from;
        return SalvageCommand{std::move(options)};
    }
    if (tree.verify->parsed()) {
        VerifyCommand command{.file = data_dir / "store.db", .is_json = raw.is_json};
        if (raw.verified_file) command.file = *raw.verified_file;
        if (raw.is_online) command.online = to_connection(raw);
        if (raw.expected_head)
            command.expected_head = storage::parse_journal_head(*raw.expected_head);
        return command;
    }
    if (tree.key_list->parsed()) return KeyListCommand{data_dir};
    if (tree.key_revoke->parsed()) {
        return KeyRevokeCommand{data_dir, proxy::parse_key_id(raw.key_id).value()};
    }
    if (tree.key_add->parsed()) {
        const auto scopes =
            raw.scopes.empty() ? proxy::ScopeSet::all() : proxy::parse_scopes(raw.scopes).value();
        return KeyAddCommand{data_dir, {raw.principal, scopes}};
    }
    return VersionCommand{};
}

}  // namespace

std::expected<Command, ExitCode> parse_command_line(int argc, const char* const* argv) {
    RawOptions raw;
    CommandTree tree(raw);
    try {
        tree.app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const bool is_wrong = tree.app.exit(error) != 0;
        return std::unexpected(is_wrong ? ExitCode::Usage : ExitCode::Ok);
    }
    return to_command(tree, raw);
}

}  // namespace fencegate::cli
