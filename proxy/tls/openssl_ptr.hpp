#pragma once
// OpenSSL handles that free themselves, and OpenSSL's error queue as text. Internal to proxy/:
// include it from .cpp files only, it pulls in OpenSSL.
// Thread rule: the error queue belongs to the calling thread; a handle to whoever owns it.

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace fencegate::proxy {

template <auto Free>
struct OpensslDeleter {
    template <class Handle>
    void operator()(Handle* handle) const noexcept {
        Free(handle);
    }
};

using BioPtr = std::unique_ptr<BIO, OpensslDeleter<BIO_free_all>>;
using BignumPtr = std::unique_ptr<BIGNUM, OpensslDeleter<BN_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, OpensslDeleter<X509_EXTENSION_free>>;
using PrivateKeyPtr = std::unique_ptr<EVP_PKEY, OpensslDeleter<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslDeleter<X509_free>>;

// Empties this thread's error queue, oldest first, joined by "; ". A queue left full would be
// blamed on the next, unrelated call.
[[nodiscard]] inline std::string drain_openssl_errors() {
    std::string text;
    while (const auto code = ERR_get_error()) {
        char line[256];
        ERR_error_string_n(code, line, sizeof line);
        if (!text.empty()) text.append("; ");
        text.append(line);
    }
    return text.empty() ? "no further detail" : text;
}

}  // namespace fencegate::proxy
