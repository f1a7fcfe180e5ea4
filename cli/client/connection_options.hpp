#pragma once
// Where a running gateway is and how to prove to it who asks: the options that every command which
// talks to one has in common, and what they amount to.
// Owns: the defaults and the reading of key files. Refuses to own: option names
// (cli/commands/options.cpp). Invariant: a key's text is in no error. Thread rule: plain values and
// functions.

#include "base/result.hpp"
#include "cli/client/https_client.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace fencegate::cli {

inline constexpr const char* kDefaultUrl = "https://127.0.0.1:8443";
inline constexpr const char* kDefaultAdminUrl = "https://127.0.0.1:9443";

// As given on the command line or by FENCEGATE_URL, _ADMIN_URL, _CA, _KEY_FILE.
struct ConnectionOptions {
    std::string url = kDefaultUrl;
    std::string admin_url = kDefaultAdminUrl;
    std::optional<std::filesystem::path> data_dir{};  // has ca.pem and api-key
    std::optional<std::filesystem::path> ca_file{};   // wins over the data folder's
    std::optional<std::filesystem::path> key_file{};  // so does this
};

// Of the API, and of the admin listener.
// Fails with: fail_start(BadConfig) for a URL that is none, fail_start(CannotRead) for a CA or key
// that is not there.
[[nodiscard]] Result<HttpsOptions> api_connection(const ConnectionOptions& options);
[[nodiscard]] Result<HttpsOptions> admin_connection(const ConnectionOptions& options);

struct ServerAddress {
    std::string host;  // a name or an address, without brackets
    std::uint16_t port = 0;
    friend bool operator==(const ServerAddress&, const ServerAddress&) = default;
};

// "https://host", "https://host:8443", "https://[::1]:8443/". Fails with: fail_start(BadConfig).
[[nodiscard]] Result<ServerAddress> parse_server_url(std::string_view text);

}  // namespace fencegate::cli
