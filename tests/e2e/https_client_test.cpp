// The program's own HTTPS client, as `fencegate top` and `fencegate backup` use it, against a real
// gateway and against servers that are none: what an operator is told.
#include "cli/client/https_client.hpp"

#include "base/start_failure.hpp"
#include "cli/client/connection_options.hpp"
#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/reply_matcher.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace fencegate::testing {
namespace {

using cli::HttpsOptions;
using cli::LineStream;
using Client = cli::HttpsClient;

cli::ConnectionOptions connection_to(const GatewayProcess& gateway) {
    return {.url = gateway.url(), .data_dir = gateway.data_dir()};
}

HttpsOptions options_for(const GatewayProcess& gateway) {
    return cli::api_connection(connection_to(gateway)).value();
}

// The error of asking there, in words.
std::string complaint(HttpsOptions options) {
    options.timeout = std::min<Duration>(options.timeout, std::chrono::seconds(5));
    const auto reply = Client(std::move(options)).get("/v1/locks");
    if (reply) return "none: " + std::to_string(reply->status);
    return reply.error().detail;
}

using ::testing::HasSubstr;

// Somebody listens and is no gateway: says `greeting` to whoever comes, or nothing at all.
class Stranger {
public:
    explicit Stranger(std::string greeting = {}) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* any = reinterpret_cast<sockaddr*>(&address);
        if (::bind(socket_, any, size) != 0 || ::listen(socket_, 8) != 0 ||
            ::getsockname(socket_, any, &size) != 0)
            throw std::runtime_error("cannot listen");
        port_ = ntohs(address.sin_port);
        if (greeting.empty()) return;
        thread_ = std::thread([this, text = std::move(greeting)] { greet(text); });
    }
    ~Stranger() {
        ::shutdown(socket_, SHUT_RDWR);
        if (thread_.joinable()) thread_.join();
        ::close(socket_);
    }
    Stranger(const Stranger&) = delete;
    Stranger& operator=(const Stranger&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    void greet(const std::string& text) const {
        for (;;) {
            const int peer = ::accept(socket_, nullptr, nullptr);
            if (peer < 0) return;
            char ignored[4096];
            if (::read(peer, ignored, sizeof ignored) > 0)
                static_cast<void>(::send(peer, text.data(), text.size(), MSG_NOSIGNAL));
            ::shutdown(peer, SHUT_WR);
            while (::read(peer, ignored, sizeof ignored) > 0) {
            }
            ::close(peer);
        }
    }

    int socket_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

TEST(HttpsClient, AsksAGateway) {
    const GatewayProcess gateway;
    Client client(options_for(gateway));

    const auto first = client.get("/v1/locks");
    const auto second = client.get("/v1/locks/none");
    const auto posted = client.post("/v1/locks/a", R"({"owner":"me"})");
    const auto bare = client.post("/v1/locks/b");

    ASSERT_TRUE(first && second && posted && bare);
    EXPECT_EQ(first->status, 200);
    EXPECT_EQ(first->body, R"({"data":[],"has_more":false})");
    EXPECT_TRUE(first->date.ends_with("GMT")) << first->date;
    EXPECT_EQ(second->status, 200);
    EXPECT_EQ(posted->status, 201);
    EXPECT_EQ(bare->status, 201);
}

// On one that was kept it would be sent again when that is found closed.
TEST(HttpsClient, SendsWhatMayHaveAnEffectOnAConnectionOfItsOwn) {
    const GatewayProcess gateway;
    Client client(options_for(gateway));
    auto admin = gateway.admin_client();
    const auto handshakes = [&admin] {
        return std::stoi(metric(admin, R"(fencegate_tls_handshakes_total{result="ok"})"));
    };
    ASSERT_TRUE(client.get("/v1/locks"));
    const int before = handshakes();

    ASSERT_TRUE(client.get("/v1/locks"));
    EXPECT_EQ(handshakes(), before);
    ASSERT_TRUE(client.post("/v1/locks/a"));
    ASSERT_TRUE(client.post("/v1/locks/b"));
    ASSERT_TRUE(client.get("/v1/locks"));
    EXPECT_EQ(handshakes(), before + 2);
    await("one connection", [&admin] {
        return metric(admin, R"(fencegate_http_connections{listener="public"})") == "1";
    });
}

TEST(HttpsClient, ReplacesAKeptConnectionThatWasClosedMeanwhile) {
    GatewayProcess gateway;
    gateway.restart_with("idle_timeout = \"100ms\"\n");
    Client client(options_for(gateway));
    auto admin = gateway.admin_client();
    ASSERT_TRUE(client.get("/v1/locks"));
    await("no connections",
          [&] { return metric(admin, R"(fencegate_http_connections{listener="public"})") == "0"; });

    const auto reply = client.get("/v1/locks");

    ASSERT_TRUE(reply) << reply.error().detail;
    EXPECT_EQ(reply->status, 200);
}

TEST(HttpsClient, TellsARefusedKeyFromOtherTrouble) {
    const GatewayProcess gateway;
    auto options = options_for(gateway);
    options.api_key = "fg_000000000000_nobody";

    const auto reply = Client(options).get("/v1/locks");
    LineStream stream(options);
    const auto opened = stream.open("/v1/watch");

    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 401);
    const auto error = cli::refusal_of(*reply);
    EXPECT_EQ(start_failure_of(error), StartFailure::NotPermitted);
    EXPECT_THAT(error.detail, HasSubstr("401 unauthenticated: "));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().detail, error.detail);
}

TEST(HttpsClient, SaysWhatIsWrongWithWhoeverAnswers) {
    const GatewayProcess gateway;
    const GatewayProcess other;
    const Stranger stranger("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    const Stranger silent;
    const auto with = [&](const std::function<void(HttpsOptions&)>& change) {
        auto options = options_for(gateway);
        change(options);
        return complaint(std::move(options));
    };

    EXPECT_THAT(with([](auto& options) { options.port = 1; }),
                HasSubstr("nothing listens there. Is the gateway running"));
    EXPECT_THAT(with([&](auto& options) { options.ca_file = other.ca_file(); }),
                HasSubstr("is not signed by the CA in"));
    EXPECT_THAT(with([](auto& options) { options.host = "127.1"; }),  // for the same address
                HasSubstr("is for another name than 127.1"));
    EXPECT_THAT(with([&](auto& options) { options.port = stranger.port(); }),
                HasSubstr("does not speak HTTPS"));
    EXPECT_THAT(with([&](auto& options) {
                    options.port = silent.port();
                    options.timeout = std::chrono::milliseconds(200);
                }),
                HasSubstr("timed out"));
    EXPECT_THAT(with([](auto& options) { options.body_bytes_max = 10; }),
                HasSubstr("is too large"));
}

// All of 127.0.0.0/8 is this machine; the certificate names one address of it.
TEST(HttpsClient, TakesNoCertificateOfAnotherAddress) {
    GatewayProcess gateway;
    auto options = options_for(gateway);
    gateway.restart({"--listen", filled("0.0.0.0:$", options.port)});
    ASSERT_EQ(complaint(options), "none: 200");

    options.host = "127.0.0.2";

    EXPECT_THAT(complaint(options), HasSubstr("is for another name than 127.0.0.2"));
}

TEST(HttpsClient, GivesUpOnAGatewayThatStandsStill) {
    GatewayProcess gateway;
    auto options = options_for(gateway);
    options.timeout = std::chrono::milliseconds(300);
    Client client(options);
    ASSERT_TRUE(client.get("/v1/locks"));
    gateway.pause();

    const auto reply = client.get("/v1/locks");

    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error().detail, HasSubstr("does not answer within 300 ms"));
    gateway.resume();
}

TEST(HttpsClient, ReadsAStreamLineByLineAndComesBackWhenNoneComes) {
    const GatewayProcess gateway;
    LineStream stream(options_for(gateway));
    ASSERT_TRUE(stream.open("/v1/watch"));
    std::vector<std::string> lines;

    for (;;) {
        const auto line = stream.next_line(std::chrono::milliseconds(50));
        ASSERT_TRUE(line) << line.error().detail;
        if (!*line) break;
        lines.push_back(**line);
    }
    ASSERT_TRUE(Client(options_for(gateway)).post("/v1/locks/a"));
    const auto next = stream.next_line(std::chrono::seconds(10));

    ASSERT_EQ(lines.size(), 4U);
    EXPECT_EQ(lines[0], ": connected");
    EXPECT_EQ(lines[3], "");
    ASSERT_TRUE(next && *next);
    EXPECT_EQ(**next, "event: granted");
}

TEST(HttpsClient, SaysThatAStreamEnded) {
    GatewayProcess gateway;
    LineStream stream(options_for(gateway));
    ASSERT_TRUE(stream.open("/v1/watch"));

    gateway.kill9();
    Result<std::optional<std::string>> line;
    do line = stream.next_line(std::chrono::seconds(10));
    while (line && *line);

    ASSERT_FALSE(line);
    EXPECT_THAT(line.error().detail, HasSubstr("ended the stream"));
}

TEST(HttpsClient, IsInterruptedFromAnotherThread) {
    const GatewayProcess gateway;
    LineStream stream(options_for(gateway));
    ASSERT_TRUE(stream.open("/v1/watch"));
    for (int line = 0; line < 4; ++line) ASSERT_TRUE(stream.next_line(std::chrono::seconds(10)));

    // After a request of its own, so that the stream is waited for by then.
    std::thread other([&] {
        EXPECT_TRUE(Client(options_for(gateway)).get("/v1/locks"));
        stream.interrupt();
    });
    const Deadline deadline(std::chrono::seconds(5));
    const auto line = stream.next_line(std::chrono::hours(1));
    other.join();

    ASSERT_FALSE(line);
    EXPECT_FALSE(deadline.has_passed());
    EXPECT_EQ(line.error().detail, "interrupted");
    EXPECT_FALSE(stream.open("/v1/watch"));  // for good
}

}  // namespace
}  // namespace fencegate::testing
