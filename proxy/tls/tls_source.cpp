#include "proxy/tls/tls_source.hpp"

#include <openssl/ssl.h>

namespace fencegate::proxy {

::ssl_st* TlsSource::new_connection() {
    const std::lock_guard lock(mutex_);
    return ::SSL_new(context_.get());
}

void TlsSource::replace(SslContextPtr context) {
    const std::lock_guard lock(mutex_);
    context_.swap(context);
}

}  // namespace fencegate::proxy
