#include "base/digest.hpp"

#include "base/check.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>

namespace fencegate {
namespace {

// Fetched once: OpenSSL 3.0 takes global locks in every implicit fetch (openssl #20286). Never
// freed: OpenSSL's own atexit handler may run first.
const EVP_MD* fetched_sha256() {
    static const EVP_MD* const algorithm = [] {
        EVP_MD* fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
        FG_CHECK(fetched != nullptr);
        return fetched;
    }();
    return algorithm;
}

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

EVP_MD_CTX* start_digest() {
    thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
    FG_CHECK(context != nullptr);
    FG_CHECK(EVP_DigestInit_ex2(context.get(), fetched_sha256(), nullptr) == 1);
    return context.get();
}

Sha256 finish_digest(EVP_MD_CTX* context) {
    Sha256 digest;
    FG_CHECK(EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1);
    return digest;
}

std::array<std::uint8_t, 8> big_endian(std::uint64_t value) {
    std::array<std::uint8_t, 8> bytes;
    for (std::size_t at = bytes.size(); at > 0; --at) {
        bytes[at - 1] = static_cast<std::uint8_t>(value);
        value >>= 8;
    }
    return bytes;
}

}  // namespace

Sha256 sha256(std::span<const std::string_view> parts) {
    auto* context = start_digest();
    for (const auto part : parts) {
        const auto length = big_endian(part.size());
        FG_CHECK(EVP_DigestUpdate(context, length.data(), length.size()) == 1);
        FG_CHECK(EVP_DigestUpdate(context, part.data(), part.size()) == 1);
    }
    return finish_digest(context);
}

Sha256 sha256(std::initializer_list<std::string_view> parts) {
    return sha256(std::span(parts.begin(), parts.size()));
}

Sha256 sha256_of(std::string_view bytes) {
    auto* context = start_digest();
    FG_CHECK(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
    return finish_digest(context);
}

bool equal_in_constant_time(const Sha256& left, const Sha256& right) noexcept {
    return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace fencegate
