#pragma once
// TlsSource: the TLS context new connections use. A reload makes a new context and swaps it in; a
// live context is never touched (its setters are not thread safe), and connections keep theirs
// through OpenSSL's own reference.
// Thread rule: any thread.

#include "base/result.hpp"
#include "proxy/tls/tls_context.hpp"

#include <mutex>

struct ssl_st;

namespace fencegate::proxy {

class TlsSource {
public:
    explicit TlsSource(SslContextPtr context) : context_(std::move(context)) {}

    // A new connection's SSL, owned by the caller; nullptr if out of memory.
    [[nodiscard]] ::ssl_st* new_connection();
    void replace(SslContextPtr context);

private:
    std::mutex mutex_;  // held for SSL_new and for the swap
    SslContextPtr context_;
};

}  // namespace fencegate::proxy
