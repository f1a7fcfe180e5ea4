#include "proxy/reloadable.hpp"

#include "proxy/key_file.hpp"

namespace fencegate::proxy {

Result<Reloadable> load_reloadable(const Config& config, const Clock& clock) {
    auto files =
        ensure_certificates(config.data_dir, certificate_hosts(config.listen), clock.wall_now());
    if (!files) return std::unexpected(files.error());
    auto tls = make_server_context(files->server, files->server_key);
    if (!tls) return std::unexpected(tls.error());
    const auto not_after = certificate_not_after(files->server);
    if (!not_after) return std::unexpected(not_after.error());
    auto credentials = Credentials::load(keys_file_in(config.data_dir));
    if (!credentials) return std::unexpected(credentials.error());
    return Reloadable{*std::move(credentials), *std::move(tls), *std::move(files), *not_after};
}

}  // namespace fencegate::proxy
