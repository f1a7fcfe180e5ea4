#include "cli/client/connection_options.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "cli/client/printable.hpp"
#include "proxy/access/key_file.hpp"
#include "proxy/config/config.hpp"

#include <algorithm>
#include <charconv>

namespace fencegate::cli {
namespace {

constexpr std::string_view kScheme = "https://";
constexpr std::uint16_t kHttpsPort = 443;  // RFC 9110 4.2.2
constexpr std::size_t kHostBytesMax = 253;
constexpr std::size_t kKeyFileBytesMax = 4'096;

std::unexpected<Error> bad_url(std::string_view text, std::string_view why) {
    return fail_start(StartFailure::BadConfig, std::string("\"")
                                                   .append(printable(text))
                                                   .append("\" ")
                                                   .append(why)
                                                   .append("; write it like ")
                                                   .append(kDefaultUrl));
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data(), end, port);
    if (ec != std::errc{} || at != end || port == 0) return std::nullopt;
    return port;
}

bool is_host(std::string_view text, bool is_bracketed) {
    const auto allowed = is_bracketed ? std::string_view("0123456789abcdefABCDEF:.")
                                      : std::string_view(
                                            "abcdefghijklmnopqrstuvwxyz"
                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
    if (is_bracketed && text.find(':') == std::string_view::npos) return false;
    return !text.empty() && text.size() <= kHostBytesMax &&
           text.find_first_not_of(allowed) == std::string_view::npos;
}

std::filesystem::path folder_of(const ConnectionOptions& options) {
    return options.data_dir ? *options.data_dir : proxy::Config().data_dir;
}

// What was not given is expected in the gateway's folder, which may be on another machine.
std::unexpected<Error> not_there(const Error& error, std::string_view option) {
    return fail_start(StartFailure::CannotRead, error.detail +
                                                    "; name the gateway's folder with "
                                                    "--data-dir, or the file with " +
                                                    std::string(option));
}

Result<std::string> read_key(const ConnectionOptions& options) {
    const auto file =
        options.key_file ? *options.key_file : proxy::first_key_file_in(folder_of(options));
    auto text = read_file(file, kKeyFileBytesMax);
    if (!text) return not_there(text.error(), "--key-file");
    const auto end = text->find_last_not_of(" \t\r\n");
    text->resize(end == std::string::npos ? 0 : end + 1);
    const auto is_key_byte = [](char byte) { return byte > ' ' && byte < '\x7f'; };
    // Anything else would end the header line it is sent in, or never be a key.
    if (text->empty() || !std::ranges::all_of(*text, is_key_byte))
        return fail_start(StartFailure::CannotRead,
                          file.string() + " is not an API key: one line of printable ASCII");
    return text;
}

Result<HttpsOptions> connection(const ConnectionOptions& options, std::string_view url) {
    auto address = parse_server_url(url);
    if (!address) return std::unexpected(address.error());
    auto key = read_key(options);
    if (!key) return std::unexpected(key.error());
    const auto ca_file = options.ca_file ? *options.ca_file : folder_of(options) / "ca.pem";
    constexpr std::size_t kCaBytesMax = std::size_t{4} * 1024 * 1024;
    const auto ca = read_file(ca_file, kCaBytesMax);
    if (!ca) return not_there(ca.error(), "--ca");
    return HttpsOptions{.host = std::move(address->host),
                        .port = address->port,
                        .ca_file = ca_file,
                        .api_key = *std::move(key)};
}

}  // namespace

Result<ServerAddress> parse_server_url(std::string_view text) {
    auto rest = text;
    if (!rest.starts_with(kScheme)) return bad_url(text, "does not begin with https://");
    rest.remove_prefix(kScheme.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    const bool is_bracketed = rest.starts_with('[');
    const auto host_end = is_bracketed ? rest.find(']') : rest.find(':');
    const auto host = rest.substr(is_bracketed ? 1 : 0, host_end - (is_bracketed ? 1 : 0));
    const bool is_open_bracket = is_bracketed && host_end == std::string_view::npos;
    if (is_open_bracket || !is_host(host, is_bracketed)) return bad_url(text, "names no host");
    if (host_end == std::string_view::npos) return ServerAddress{std::string(host), kHttpsPort};
    auto after = rest.substr(host_end + (is_bracketed ? 1 : 0));
    if (after.empty()) return ServerAddress{std::string(host), kHttpsPort};
    const auto port = after.starts_with(':') ? parse_port(after.substr(1)) : std::nullopt;
    if (!port) return bad_url(text, "has something else than a port behind its host");
    return ServerAddress{std::string(host), *port};
}

Result<HttpsOptions> api_connection(const ConnectionOptions& options) {
    return connection(options, options.url);
}

Result<HttpsOptions> admin_connection(const ConnectionOptions& options) {
    return connection(options, options.admin_url);
}

}  // namespace fencegate::cli
