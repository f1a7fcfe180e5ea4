// SIGHUP under load, a replaced certificate, and connections that come and go in both TLS versions.
#include "tests/e2e/steady_load.hpp"
#include "tests/support/reply_matcher.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <csignal>

namespace fencegate::testing {
namespace {

constexpr std::size_t kClients = 6;

std::size_t count_of(const std::string& text, std::string_view line) {
    std::size_t count = 0;
    for (auto at = text.find(line); at != std::string::npos; at = text.find(line, at + 1)) ++count;
    return count;
}

// What a reload did is told on the terminal, one line each.
void reload(const GatewayProcess& gateway, SteadyLoad& load, const char* outcome) {
    const auto before = count_of(gateway.output(), outcome);
    gateway.signal(SIGHUP);
    await(outcome, [&] {
        load.await_answers(1);
        return count_of(gateway.output(), outcome) != before;
    });
}

void expect_nothing_lost(const LoadReport& report) {
    expect_all_answered(report);
    EXPECT_EQ(report.told_to_close, 0U) << "connections outlive a reload";
}

TEST(Reload, LosesNothingUnderLoad) {
    GatewayProcess gateway;
    SteadyLoad load(gateway, kClients);

    for (int round = 0; round < 10; ++round) reload(gateway, load, "reloaded keys");

    expect_nothing_lost(load.finish());
    EXPECT_EQ(gateway.stop(), 0);
}

TEST(Reload, ShowsAReplacedCertificateToNewConnectionsOnly) {
    GatewayProcess gateway;
    SteadyLoad load(gateway, kClients);
    auto old_connection = gateway.client();
    const auto old_certificate = old_connection.peer_fingerprint();

    std::filesystem::remove(gateway.data_dir() / "server.pem");
    std::filesystem::remove(gateway.data_dir() / "server.key");
    reload(gateway, load, "reloaded keys");

    EXPECT_NE(gateway.client().peer_fingerprint(), old_certificate);
    EXPECT_NE(gateway.admin_client().peer_fingerprint(), old_certificate);
    EXPECT_THAT(old_connection.request("GET", "/v1/locks/a"), Is(200));
    expect_nothing_lost(load.finish());
}

TEST(Reload, KeepsTheOldSettingsWhenTheNewOnesAreBroken) {
    GatewayProcess gateway;
    SteadyLoad load(gateway, kClients);
    const auto certificate = gateway.client().peer_fingerprint();

    std::filesystem::copy_file(gateway.data_dir() / "ca.key", gateway.data_dir() / "server.key",
                               std::filesystem::copy_options::overwrite_existing);
    reload(gateway, load, "the old settings stay");

    EXPECT_EQ(gateway.client().peer_fingerprint(), certificate);
    auto admin = gateway.admin_client();
    EXPECT_EQ(metric(admin, "fencegate_config_last_reload_successful"), "0");
    expect_nothing_lost(load.finish());
}

TEST(Connections, ComeAndGoInBothTlsVersions) {
    GatewayProcess gateway;
    auto admin = gateway.admin_client();

    for (int round = 0; round < 100; ++round) {
        auto options = gateway.keyed_options();
        const bool is_newer = round % 2 == 0;
        options.tls_version_min = options.tls_version_max =
            is_newer ? TLS1_3_VERSION : TLS1_2_VERSION;
        HttpsClient client(options);
        client.connect();
        ASSERT_EQ(client.tls_version(), is_newer ? "TLSv1.3" : "TLSv1.2");
        ASSERT_EQ(client.request("GET", "/v1/locks/a").status, 200);
        round % 3 == 0 ? client.abort_connection() : client.close();
    }

    await("no connections",
          [&] { return metric(admin, R"(fencegate_http_connections{listener="public"})") == "0"; });
    EXPECT_EQ(metric(admin, R"(fencegate_tls_handshakes_total{result="ok"})"), "101");
}

}  // namespace
}  // namespace fencegate::testing
