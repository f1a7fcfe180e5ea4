#include "proxy/tls/certificate_issuer.hpp"

#include "base/start_failure.hpp"

#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include <algorithm>
#include <ctime>
#include <optional>

namespace fencegate::proxy {
namespace {

using namespace std::chrono_literals;

// Clients whose clock is a little behind accept the certificate at once.
constexpr auto kBackdating = 1h;
constexpr auto kCaLifetime = std::chrono::days(3'652);
// Browsers and Apple's clients refuse more than 398 days; Mozilla's guideline says 366.
constexpr auto kServerLifetime = std::chrono::days(365);
constexpr int kSerialBits = 159;  // RFC 5280 4.1.2.2: positive and at most 20 octets

std::unexpected<Error> fail_openssl(std::string_view what) {
    return fail_start(StartFailure::CannotCreate,
                      "cannot " + std::string(what) + ": " + drain_openssl_errors());
}

bool set_random_serial(X509& certificate) {
    const BignumPtr serial(BN_new());
    return serial && BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool set_validity(X509& certificate, WallTime from, WallTime to) {
    const auto seconds = [](WallTime time) {
        return static_cast<std::time_t>(
            std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
    };
    return ASN1_TIME_set(X509_getm_notBefore(&certificate), seconds(from)) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(&certificate), seconds(to)) != nullptr;
}

bool set_common_name(X509& certificate, const char* name) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(name);
    return X509_NAME_add_entry_by_txt(X509_get_subject_name(&certificate), "CN", MBSTRING_ASC,
                                      bytes, -1, -1, 0) == 1;
}

bool add_extension(X509& certificate, X509& issuer, int nid, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
    const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

bool is_address(const std::string& host) {
    const std::unique_ptr<ASN1_OCTET_STRING, OpensslDeleter<ASN1_OCTET_STRING_free>> address(
        a2i_IPADDRESS(host.c_str()));
    (void)drain_openssl_errors();
    return address != nullptr;
}

// Built by hand, not from an extension text: in the text form a comma in a host name would start
// another name.
bool add_alternative_names(X509& certificate, std::span<const std::string> hosts) {
    const std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>> names(
        sk_GENERAL_NAME_new_null());
    for (const auto& host : hosts) {
        const int type = is_address(host) ? GEN_IPADD : GEN_DNS;
        std::unique_ptr<GENERAL_NAME, OpensslDeleter<GENERAL_NAME_free>> name(
            a2i_GENERAL_NAME(nullptr, nullptr, nullptr, type, host.c_str(), 0));
        if (!name || sk_GENERAL_NAME_push(names.get(), name.get()) == 0) return false;
        (void)name.release();  // the list has it now
    }
    return X509_add1_ext_i2d(&certificate, NID_subject_alt_name, names.get(), 0,
                             X509V3_ADD_DEFAULT) == 1;
}

struct Profile {
    const char* common_name;
    std::chrono::seconds lifetime;
    std::optional<WallTime> latest_end;
    const X509* replaced;  // nullptr: none
};

// What both kinds of certificate have in common; extensions and signature follow.
X509Ptr begin_certificate(const Profile& profile, EVP_PKEY& subject_key, WallTime now) {
    X509Ptr certificate(X509_new());
    const auto begin = now - kBackdating;
    // A clock that is ahead must not shut out clients whose clocks are right.
    const WallTime from =
        profile.replaced == nullptr ? begin : std::min(begin, not_before(*profile.replaced));
    const WallTime to =
        std::min(begin + profile.lifetime, profile.latest_end.value_or(WallTime::max()));
    const bool is_done = certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                         set_random_serial(*certificate) && set_validity(*certificate, from, to) &&
                         set_common_name(*certificate, profile.common_name) &&
                         X509_set_pubkey(certificate.get(), &subject_key) == 1;
    return is_done ? std::move(certificate) : nullptr;
}

Result<std::string> take_text(BIO& memory) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(&memory, &data);
    return std::string(data, static_cast<std::size_t>(size));
}

BioPtr reading(std::string_view pem) {
    return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

std::optional<WallTime> time_of(const ASN1_TIME* time) {
    std::tm utc{};
    if (ASN1_TIME_to_tm(time, &utc) != 1) return std::nullopt;
    return WallTime(std::chrono::seconds(::timegm(&utc)));
}

// An encrypted key must not make a server ask at the terminal.
int refuse_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

Result<PrivateKeyPtr> generate_private_key() {
    PrivateKeyPtr key(EVP_EC_gen("P-256"));
    if (!key) return fail_openssl("generate a P-256 key");
    return key;
}

Result<X509Ptr> issue_ca_certificate(EVP_PKEY& ca_key, WallTime now, const X509* replaced) {
    auto ca =
        begin_certificate({"fencegate local CA", kCaLifetime, std::nullopt, replaced}, ca_key, now);
    if (!ca) return fail_openssl("create the CA certificate");
    const bool is_signed =
        X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get())) == 1 &&
        add_extension(*ca, *ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
        add_extension(*ca, *ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
        add_extension(*ca, *ca, NID_subject_key_identifier, "hash") &&
        X509_sign(ca.get(), &ca_key, EVP_sha256()) > 0;
    if (!is_signed) return fail_openssl("sign the CA certificate");
    return ca;
}

Result<X509Ptr> issue_server_certificate(X509& ca, EVP_PKEY& ca_key, EVP_PKEY& server_key,
                                         std::span<const std::string> hosts, WallTime now,
                                         const X509* replaced) {
    auto server =
        begin_certificate({"fencegate", kServerLifetime, not_after(ca), replaced}, server_key, now);
    if (!server) return fail_openssl("create the server certificate");
    const bool is_signed = X509_set_issuer_name(server.get(), X509_get_subject_name(&ca)) == 1 &&
                           add_extension(*server, ca, NID_basic_constraints, "critical,CA:FALSE") &&
                           add_extension(*server, ca, NID_key_usage, "critical,digitalSignature") &&
                           add_extension(*server, ca, NID_ext_key_usage, "serverAuth") &&
                           add_extension(*server, ca, NID_subject_key_identifier, "hash") &&
                           add_extension(*server, ca, NID_authority_key_identifier, "keyid") &&
                           add_alternative_names(*server, hosts) &&
                           X509_sign(server.get(), &ca_key, EVP_sha256()) > 0;
    if (!is_signed) return fail_openssl("sign the server certificate");
    return server;
}

Result<std::string> to_pem(X509& certificate) {
    const BioPtr memory(BIO_new(BIO_s_mem()));
    if (!memory || PEM_write_bio_X509(memory.get(), &certificate) != 1) {
        return fail_openssl("encode a certificate");
    }
    return take_text(*memory);
}

Result<std::string> to_pem(EVP_PKEY& key) {
    const BioPtr memory(BIO_new(BIO_s_secmem()));
    if (!memory || PEM_write_bio_PKCS8PrivateKey(memory.get(), &key, nullptr, nullptr, 0, nullptr,
                                                 nullptr) != 1) {
        return fail_openssl("encode a private key");
    }
    return take_text(*memory);
}

X509Ptr certificate_from_pem(std::string_view pem) {
    const auto memory = reading(pem);
    X509Ptr certificate(PEM_read_bio_X509(memory.get(), nullptr, refuse_passphrase, nullptr));
    (void)drain_openssl_errors();
    return certificate;
}

PrivateKeyPtr private_key_from_pem(std::string_view pem) {
    const auto memory = reading(pem);
    PrivateKeyPtr key(PEM_read_bio_PrivateKey(memory.get(), nullptr, refuse_passphrase, nullptr));
    (void)drain_openssl_errors();
    return key;
}

WallTime not_before(const X509& certificate) {
    return time_of(X509_get0_notBefore(&certificate)).value_or(WallTime::max());
}

WallTime not_after(X509& certificate) {
    return time_of(X509_get0_notAfter(&certificate)).value_or(WallTime{});
}

bool is_valid_for(X509& certificate, const std::string& host) {
    const int found = is_address(host)
                          ? X509_check_ip_asc(&certificate, host.c_str(), 0)
                          : X509_check_host(&certificate, host.data(), host.size(), 0, nullptr);
    return found == 1;
}

}  // namespace fencegate::proxy
