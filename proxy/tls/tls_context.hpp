#pragma once
// The server's TLS settings: Mozilla's guideline 6.0 "intermediate", as far as OpenSSL 3.0 knows
// it.
//
// Owns: protocol versions, suites, groups, ALPN and the certificate of one SSL_CTX. To reload, make
// a new one and use it for new connections: a context that serves must never be changed.
// Thread rule: make on any thread; a finished context may be shared.
// Errors: fail_start(CannotRead) naming the file, with OpenSSL's own words.

#include "base/result.hpp"
#include "base/snapshot.hpp"

#include <filesystem>
#include <memory>
#include <string_view>

struct ssl_ctx_st;

namespace fencegate::proxy {

struct SslContextDeleter {
    void operator()(ssl_ctx_st* context) const noexcept;
};
using SslContextPtr = std::unique_ptr<ssl_ctx_st, SslContextDeleter>;

// The context that new connections use. Older ones keep theirs by OpenSSL's own reference.
using TlsSource = Snapshot<SslContextPtr>;

// `chain` is PEM, leaf first. Fails also when the key is not that of the leaf.
[[nodiscard]] Result<SslContextPtr> make_server_context(const std::filesystem::path& chain,
                                                        const std::filesystem::path& key);

// Of the library that is loaded, e.g. "3.0.17".
[[nodiscard]] std::string_view openssl_version() noexcept;

}  // namespace fencegate::proxy
