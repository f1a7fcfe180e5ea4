#pragma once
// Makes and inspects X.509 certificates: a local CA and server certificates signed by it, ECDSA
// P-256. Internal to proxy/: include it from .cpp files only, it pulls in OpenSSL.
//
// Owns: the profile of the certificates (RFC 5280). Refuses to own: files and when to reissue;
// that is certificates.hpp. Thread rule: plain functions, any thread.
// Errors: fail_start(), with OpenSSL's own words.

#include "base/clock.hpp"
#include "base/result.hpp"
#include "proxy/tls/openssl_ptr.hpp"

#include <span>
#include <string>
#include <string_view>

namespace fencegate::proxy {

[[nodiscard]] Result<PrivateKeyPtr> generate_private_key();

// Both begin an hour ago, or when the one they replace began, if that is earlier.

// A self-signed CA that may sign end certificates only, valid for ten years.
[[nodiscard]] Result<X509Ptr> issue_ca_certificate(EVP_PKEY& ca_key, WallTime now,
                                                   const X509* replaced);

// A server certificate for DNS names and addresses, valid for a year but never longer than the CA.
[[nodiscard]] Result<X509Ptr> issue_server_certificate(X509& ca, EVP_PKEY& ca_key,
                                                       EVP_PKEY& server_key,
                                                       std::span<const std::string> hosts,
                                                       WallTime now, const X509* replaced);

[[nodiscard]] Result<std::string> to_pem(X509& certificate);
[[nodiscard]] Result<std::string> to_pem(EVP_PKEY& key);

// The first certificate of a PEM text; nullptr if there is none. The error queue is left clean.
[[nodiscard]] X509Ptr certificate_from_pem(std::string_view pem);
[[nodiscard]] PrivateKeyPtr private_key_from_pem(std::string_view pem);

// From when and until when it is valid. A time that cannot be read makes it invalid.
[[nodiscard]] WallTime not_before(const X509& certificate);
[[nodiscard]] WallTime not_after(X509& certificate);

// `host` is a DNS name or an address, as in a URL but without brackets.
[[nodiscard]] bool is_valid_for(X509& certificate, const std::string& host);

}  // namespace fencegate::proxy
