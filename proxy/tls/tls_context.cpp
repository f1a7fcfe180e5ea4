#include "proxy/tls/tls_context.hpp"

#include "base/start_failure.hpp"
#include "proxy/tls/openssl_ptr.hpp"

#include <openssl/ssl.h>

namespace fencegate::proxy {
namespace {

// Mozilla guideline 6.0, intermediate. X25519MLKEM768 joins the groups with OpenSSL 3.5.
constexpr const char* kTls13Suites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kTls12Suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";

constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// RFC 7301 3.2: no protocol in common is a fatal alert, not a silent guess. A client that offers
// nothing at all does not come here and gets HTTP/1.1.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
    unsigned char* found = nullptr;
    const int result =
        SSL_select_next_proto(&found, chosen_size, kHttp11, sizeof kHttp11, offered, offered_size);
    if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

// An encrypted key must not make a server ask at the terminal.
int refuse_passphrase(char*, int, int, void*) { return -1; }

// Which of the suites is left to the client, which knows whether it has AES in hardware.
bool set_policy(SSL_CTX* context) {
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    // Idle connections are many: give their 34 KiB of record buffers back.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    // Tickets resume sessions without state here; the cache would only add a lock.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(context, refuse_passphrase);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, kTls12Suites) == 1 &&
           SSL_CTX_set_ciphersuites(context, kTls13Suites) == 1 &&
           SSL_CTX_set1_groups_list(context, kGroups) == 1 &&
           // 0-RTT data can be replayed by anyone who saw it.
           SSL_CTX_set_max_early_data(context, 0) == 1;
}

std::unexpected<Error> refuse(const std::filesystem::path& file,
                              std::string_view fault_and_advice) {
    std::string detail = file.string();
    detail.append(" ").append(fault_and_advice).append(" (").append(drain_openssl_errors());
    return fail_start(StartFailure::CannotRead, detail + ")");
}

}  // namespace

void SslContextDeleter::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }

Result<SslContextPtr> make_server_context(const std::filesystem::path& chain,
                                          const std::filesystem::path& key) {
    SslContextPtr context(SSL_CTX_new(TLS_server_method()));
    if (!context || !set_policy(context.get())) {
        return fail(ErrorCode::Internal, "cannot set up TLS: " + drain_openssl_errors());
    }
    if (SSL_CTX_use_certificate_chain_file(context.get(), chain.c_str()) != 1) {
        return refuse(chain, "is not a readable PEM certificate chain; put it in place");
    }
    // Also compares the key with the certificate that is loaded already.
    if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context.get()) != 1) {
        return refuse(key, "is not the readable PEM private key of " + chain.string() +
                               "; put the matching key in place");
    }
    return context;
}

std::string_view openssl_version() noexcept { return ::OpenSSL_version(OPENSSL_VERSION_STRING); }

}  // namespace fencegate::proxy
