#pragma once
// Reloadable: what an operator may replace while the gateway runs, loaded and checked as a whole so
// that a reload takes all of it or nothing.
// Thread rule: plain values; load on any one thread at a time.

#include "base/clock.hpp"
#include "proxy/access/credentials.hpp"
#include "proxy/config/config.hpp"
#include "proxy/tls/certificates.hpp"
#include "proxy/tls/tls_context.hpp"

namespace fencegate::proxy {

struct Reloadable {
    Credentials credentials;
    SslContextPtr tls;
    CertificateFiles files;
    Validity validity;  // of the server certificate
};

// That what lies in the folder will be accepted. Changes nothing.
// Fails with: as below.
[[nodiscard]] Result<> check_reloadable(const Config& config, WallTime now);

// Makes or renews our own certificates where needed.
// Fails with: a StartFailure that names the file.
[[nodiscard]] Result<Reloadable> load_reloadable(const Config& config, WallTime now);

}  // namespace fencegate::proxy
