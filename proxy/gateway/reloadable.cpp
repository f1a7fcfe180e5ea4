#include "proxy/gateway/reloadable.hpp"

#include "proxy/access/key_file.hpp"

namespace fencegate::proxy {

Result<> check_reloadable(const Config& config, WallTime now) {
    if (auto sound = check_certificates(config.data_dir, now); !sound) return sound;
    const auto chain = config.data_dir / "server.pem";
    std::error_code ec;
    if (std::filesystem::exists(chain, ec)) {
        const auto tls = make_server_context(chain, config.data_dir / "server.key");
        if (!tls) return std::unexpected(tls.error());
    }
    return check_keys(config.data_dir);
}

Result<Reloadable> load_reloadable(const Config& config, WallTime now) {
    auto files = ensure_certificates(config.data_dir, certificate_hosts(config.listen), now);
    if (!files) return std::unexpected(files.error());
    auto tls = make_server_context(files->server, files->server_key);
    if (!tls) return std::unexpected(tls.error());
    const auto validity = certificate_validity(files->server);
    if (!validity) return std::unexpected(validity.error());
    auto credentials = Credentials::load(keys_file_in(config.data_dir));
    if (!credentials) return std::unexpected(credentials.error());
    return Reloadable{*std::move(credentials), *std::move(tls), *std::move(files), *validity};
}

}  // namespace fencegate::proxy
