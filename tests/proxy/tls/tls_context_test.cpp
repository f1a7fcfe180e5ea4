#include "proxy/tls/tls_context.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "proxy/tls/certificates.hpp"
#include "proxy/tls/openssl_ptr.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <utility>

namespace fencegate::proxy {
namespace {

using SslPtr = std::unique_ptr<SSL, OpensslDeleter<SSL_free>>;

// One end of a TLS connection in memory.
SslPtr end_of(SSL_CTX* context, BIO* transport) {
    SslPtr ssl(SSL_new(context));
    SSL_set_bio(ssl.get(), transport, transport);
    return ssl;
}

struct Handshake {
    SslPtr client;
    SslPtr server;
    bool is_done = false;
    int client_error = 0;  // the reason code of the first error the client saw
};

int first_reason(const SSL* ssl, int result) {
    const bool is_waiting = SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ;
    const int reason = is_waiting ? 0 : ERR_GET_REASON(ERR_peek_error());
    (void)drain_openssl_errors();
    return reason;
}

Handshake shake_hands(SSL_CTX* server_context, SSL_CTX* client_context,
                      SSL_SESSION* session = nullptr) {
    BIO* client_end = nullptr;
    BIO* server_end = nullptr;
    BIO_new_bio_pair(&client_end, 0, &server_end, 0);
    Handshake hands{end_of(client_context, client_end), end_of(server_context, server_end)};
    if (session != nullptr) SSL_set_session(hands.client.get(), session);
    for (int round = 0; round < 10 && !hands.is_done && hands.client_error == 0; ++round) {
        const int client_result = SSL_connect(hands.client.get());
        hands.client_error = first_reason(hands.client.get(), client_result);
        const int server_result = SSL_accept(hands.server.get());
        (void)drain_openssl_errors();
        hands.is_done = client_result == 1 && server_result == 1;
    }
    return hands;
}

class TlsContextTest : public ::testing::Test {
protected:
    void SetUp() override {
        const std::vector<std::string> hosts{"localhost"};
        const auto files = ensure_certificates(folder_.path(), hosts, SystemClock().wall_now());
        ASSERT_TRUE(files);
        auto made = make_server_context(folder_ / "server.pem", folder_ / "server.key");
        ASSERT_TRUE(made) << made.error().detail;
        server_ = std::move(*made);
        SSL_CTX_load_verify_file(client_.get(), (folder_ / "ca.pem").c_str());
        SSL_CTX_set_verify(client_.get(), SSL_VERIFY_PEER, nullptr);
        SSL_CTX_set_security_level(client_.get(), 0);  // else it would refuse old TLS by itself
    }

    [[nodiscard]] Handshake shake() const { return shake_hands(server_.get(), client_.get()); }

    testing::TempDir folder_;
    SslContextPtr client_{SSL_CTX_new(TLS_client_method())};
    SslContextPtr server_;
};

TEST_F(TlsContextTest, ClientTrustingTheLocalCaConnectsWithTls13) {
    const auto hands = shake();

    ASSERT_TRUE(hands.is_done);
    EXPECT_EQ(SSL_version(hands.client.get()), TLS1_3_VERSION);
    EXPECT_EQ(SSL_get_verify_result(hands.client.get()), X509_V_OK);
}

TEST_F(TlsContextTest, Tls12IsAccepted) {
    SSL_CTX_set_max_proto_version(client_.get(), TLS1_2_VERSION);

    EXPECT_TRUE(shake().is_done);
}

TEST_F(TlsContextTest, Tls11IsRefused) {
    SSL_CTX_set_min_proto_version(client_.get(), TLS1_1_VERSION);
    SSL_CTX_set_max_proto_version(client_.get(), TLS1_1_VERSION);

    const auto hands = shake();

    EXPECT_FALSE(hands.is_done);
    EXPECT_EQ(hands.client_error, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
}

TEST_F(TlsContextTest, OnlyForwardSecretAuthenticatedSuitesAreOffered) {
    const auto* suites = SSL_CTX_get_ciphers(server_.get());
    ASSERT_EQ(sk_SSL_CIPHER_num(suites), 9);

    for (int at = 0; at < sk_SSL_CIPHER_num(suites); ++at) {
        const auto* suite = sk_SSL_CIPHER_value(suites, at);
        EXPECT_EQ(SSL_CIPHER_is_aead(suite), 1) << SSL_CIPHER_get_name(suite);
        const int exchange = SSL_CIPHER_get_kx_nid(suite);
        EXPECT_TRUE(exchange == NID_kx_ecdhe || exchange == NID_kx_any);
    }
}

TEST_F(TlsContextTest, CbcSuiteIsRefused) {
    SSL_CTX_set_max_proto_version(client_.get(), TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(client_.get(), "ECDHE-ECDSA-AES128-SHA256");

    EXPECT_FALSE(shake().is_done);
}

TEST_F(TlsContextTest, GroupOutsideTheGuidelineIsRefused) {
    SSL_CTX_set1_groups_list(client_.get(), "P-521");

    EXPECT_FALSE(shake().is_done);
}

TEST_F(TlsContextTest, Http11IsChosenAmongWhatTheClientOffers) {
    constexpr unsigned char kOffer[] = "\x02h2\x08http/1.1";
    SSL_CTX_set_alpn_protos(client_.get(), kOffer, sizeof kOffer - 1);

    const auto hands = shake();

    const unsigned char* chosen = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(hands.client.get(), &chosen, &size);
    EXPECT_EQ(std::string(chosen, chosen + size), "http/1.1");
}

TEST_F(TlsContextTest, ClientOfferingOnlyOtherProtocolsGetsTheAlert) {
    constexpr unsigned char kOffer[] = "\x02h2";
    SSL_CTX_set_alpn_protos(client_.get(), kOffer, sizeof kOffer - 1);

    const auto hands = shake();

    EXPECT_FALSE(hands.is_done);
    EXPECT_EQ(hands.client_error, SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
}

TEST_F(TlsContextTest, ClientOfferingNoProtocolIsServed) { EXPECT_TRUE(shake().is_done); }

TEST_F(TlsContextTest, SessionIsResumedByTicket) {
    SSL_CTX_set_max_proto_version(client_.get(), TLS1_2_VERSION);  // the ticket comes in-handshake
    const auto first = shake();
    ASSERT_TRUE(first.is_done);
    SSL_SESSION* session = SSL_get1_session(first.client.get());

    const auto second = shake_hands(server_.get(), client_.get(), session);

    EXPECT_TRUE(second.is_done);
    EXPECT_EQ(SSL_session_reused(second.client.get()), 1);
    SSL_SESSION_free(session);
}

TEST_F(TlsContextTest, RenegotiationIsRefused) {
    SSL_CTX_set_max_proto_version(client_.get(), TLS1_2_VERSION);
    const auto hands = shake();
    ASSERT_TRUE(hands.is_done);

    SSL_renegotiate(hands.client.get());
    (void)SSL_do_handshake(hands.client.get());
    char byte = 0;
    (void)SSL_read(hands.server.get(), &byte, 1);
    (void)drain_openssl_errors();
    const int result = SSL_do_handshake(hands.client.get());

    EXPECT_EQ(first_reason(hands.client.get(), result), SSL_R_NO_RENEGOTIATION);
}

TEST_F(TlsContextTest, TicketsAllowNoEarlyData) {
    EXPECT_EQ(SSL_CTX_get_max_early_data(server_.get()), 0U);
}

TEST_F(TlsContextTest, MissingChainIsCannotReadAndNamed) {
    const auto made = make_server_context(folder_ / "absent.pem", folder_ / "server.key");

    ASSERT_FALSE(made);
    EXPECT_EQ(start_failure_of(made.error()), StartFailure::CannotRead);
    EXPECT_NE(made.error().detail.find("absent.pem is not a readable"), std::string::npos);
    EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST_F(TlsContextTest, KeyOfAnotherCertificateIsRefused) {
    const auto made = make_server_context(folder_ / "server.pem", folder_ / "ca.key");

    ASSERT_FALSE(made);
    EXPECT_NE(made.error().detail.find("ca.key is not the readable PEM private key of"),
              std::string::npos);
    EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace fencegate::proxy
