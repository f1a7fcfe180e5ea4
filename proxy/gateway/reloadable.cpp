#include "proxy/gateway/reloadable.hpp"

#include "proxy/access/key_file.hpp"

namespace fencegate::proxy {

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
