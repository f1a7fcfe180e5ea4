#pragma once
// The gateway's TLS files in the data folder: made on the first start, reissued in time, checked.
//
//   ca.pem       give it to clients           server.pem   what the server shows
//   ca.key       signs server.pem, secret     server.key   its key, secret
//
// Owns: when a certificate is made or replaced, and what to tell an operator whose files do not
// fit. A server.pem that ca.pem did not sign is the operator's own: it is used, never replaced.
// A private key is never replaced either; a certificate missing beside its key is made again from
// it. So every step is one atomic rename, and a crash between two steps heals on the next start.
// One that is issued again begins no later than the one it replaces: the clock that finds the old
// one over may be years ahead of the clients', which are right.
// A certificate of ours that is not valid yet, or no longer, is made again of the same key: a clock
// that is wrong once must not shut clients out for good. So what an older ca.pem trusts stays
// trusted.
// Thread rule: any thread. REQUIRES: nobody else works in the data folder at the same time.
// Errors: fail_start(CannotRead | CannotCreate), naming the file and what to do.

#include "base/clock.hpp"
#include "base/result.hpp"
#include "proxy/config/endpoint.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace fencegate::proxy {

struct CertificateFiles {
    std::filesystem::path ca;      // empty: the server certificate is not from the local CA
    std::filesystem::path server;  // PEM, leaf first; the local CA itself is not in it
    std::filesystem::path server_key;
    std::vector<std::string> notices;  // for the operator: what was done, what runs out
};

// `hosts`: the DNS names and addresses under which clients reach the server.
[[nodiscard]] Result<CertificateFiles> ensure_certificates(const std::filesystem::path& data_dir,
                                                           std::span<const std::string> hosts,
                                                           WallTime now);

// Whether that would be refused for what lies in the folder. Changes nothing.
// Fails with: CannotRead, as above.
[[nodiscard]] Result<> check_certificates(const std::filesystem::path& data_dir, WallTime now);

// localhost, both loopback addresses, the machine's name, and the address listened on.
[[nodiscard]] std::vector<std::string> certificate_hosts(const Endpoint& listen);

struct Validity {
    WallTime from;
    WallTime to;
};
// Of the first certificate in the file.
[[nodiscard]] Result<Validity> certificate_validity(const std::filesystem::path& path);

}  // namespace fencegate::proxy
