// The program's own HTTPS client against servers that are no gateway, or none that can be trusted:
// whom it asks, what it believes, what an operator is told.
#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "cli/client/copy_documents.hpp"
#include "cli/client/https_client.hpp"
#include "tests/e2e/tls_stranger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

namespace fencegate::testing {
namespace {

using ::testing::HasSubstr;
using Client = cli::HttpsClient;

constexpr const char* kEmptyObject = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

std::string complaint(const cli::HttpsOptions& options) {
    const auto reply = Client(options).get("/v1/locks");
    return reply ? "none: " + std::to_string(reply->status) : reply.error().detail;
}

// What is told of a server that answers so.
std::string complaint_about(std::string answer, AfterAnswer after) {
    const TlsStranger stranger(std::move(answer), after);
    return complaint(stranger.options());
}

TEST(HttpsClientFaults, SaysOfACertificateThatItsTimeIsOverOrYetToCome) {
    const TlsStranger expired(kEmptyObject, AfterAnswer::Stay, std::chrono::days(730));
    const TlsStranger early(kEmptyObject, AfterAnswer::Stay, std::chrono::days(-30));

    EXPECT_THAT(complaint(expired.options()), HasSubstr("has expired. Give the gateway a new one"));
    EXPECT_THAT(complaint(early.options()), HasSubstr("is not valid yet. Check the clocks"));
}

TEST(HttpsClientFaults, SaysWhereAnAnswerWasBrokenOff) {
    const std::string half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"data\":";
    const std::string chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n";
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Le";
    for (const auto after : {AfterAnswer::Close, AfterAnswer::Cut}) {
        SCOPED_TRACE(after == AfterAnswer::Close ? "closed" : "cut");
        for (const auto& answer : {half, chunk, head})
            EXPECT_THAT(complaint_about(answer, after),
                        HasSubstr("ended the connection in the middle of an answer"));
        EXPECT_THAT(complaint_about({}, after),
                    HasSubstr("closed the connection without an answer"));
    }
}

TEST(HttpsClientFaults, WaitsNoLongerThanItMay) {
    for (const std::string answer : {"", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"}) {
        const TlsStranger slow(answer);
        auto options = slow.options();
        options.timeout = std::chrono::milliseconds(200);

        EXPECT_THAT(complaint(options), HasSubstr("does not answer within 200 ms"));
    }
}

TEST(HttpsClientFaults, TakesNoAnswerThatIsNoneOrTooLarge) {
    const auto large_head =
        "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\nContent-Length: 0\r\n\r\n";

    EXPECT_THAT(complaint_about("SSH-2.0-OpenSSH_9.2\r\n\r\n", AfterAnswer::Close),
                HasSubstr("does not answer as a gateway: "));
    EXPECT_THAT(complaint_about(large_head, AfterAnswer::Close), HasSubstr("is too large"));
}

TEST(HttpsClientFaults, SaysThatWhatAnswersIsNoGateway) {
    const TlsStranger page("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>");
    const TlsStranger bad_gateway("HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\n<html>");

    const auto read = cli::document_of(Client(page.options()).get("/verify"));
    const auto refused = cli::document_of(Client(bad_gateway.options()).get("/verify"));

    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().detail, "The answer is not of a fencegate gateway.");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().detail, "the gateway answered 502");
}

// The key would go to whoever is named there.
TEST(HttpsClientFaults, AsksNobodyElse) {
    constexpr std::array kVariables{"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    const TlsStranger elsewhere(kEmptyObject);
    const TlsStranger pointing("HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:" +
                               std::to_string(elsewhere.options().port) +
                               "/\r\nContent-Length: 0\r\n\r\n");
    for (const auto* name : kVariables) ::setenv(name, "http://127.0.0.1:1", 1);

    EXPECT_EQ(complaint(elsewhere.options()), "none: 200");
    EXPECT_EQ(complaint(pointing.options()), "none: 302");

    for (const auto* name : kVariables) ::unsetenv(name);
    EXPECT_EQ(elsewhere.connections(), 1);
}

TEST(HttpsClientFaults, SendsOnceWhatMayHaveAnEffect) {
    const TlsStranger silent({}, AfterAnswer::Close);

    EXPECT_FALSE(Client(silent.options()).post("/backups"));

    EXPECT_EQ(silent.connections(), 1);
}

TEST(HttpsClientFaults, KeepsAConnectionForWhatIsReadNext) {
    const TlsStranger stranger(kEmptyObject);
    Client client(stranger.options());

    for (int time = 0; time < 3; ++time) ASSERT_TRUE(client.get("/v1/locks"));

    EXPECT_EQ(stranger.connections(), 1);
}

TEST(HttpsClientFaults, SendsWhatAGatewayReadsAndNoMore) {
    const TlsStranger stranger(kEmptyObject);
    auto options = stranger.options();
    options.api_key = "fg_key";
    const auto host = "Host: 127.0.0.1:" + std::to_string(options.port);
    Client client(options);

    ASSERT_TRUE(client.post("/v1/locks/a?b=%2F..", R"({"owner":"me"})"));

    EXPECT_EQ(stranger.request(), "POST /v1/locks/a?b=%2F.. HTTP/1.1\r\n" + host +
                                      "\r\nAuthorization: Bearer fg_key\r\n"
                                      "Accept: application/json\r\n"
                                      "Content-Type: application/json\r\n"
                                      "Content-Length: 14\r\n\r\n{\"owner\":\"me\"}");
}

TEST(HttpsClientFaults, TrustsTheCaThatTheFileHasNow) {
    const TlsStranger stranger(kEmptyObject, AfterAnswer::Close);
    const TlsStranger other(kEmptyObject);
    Client client(stranger.options());
    ASSERT_TRUE(client.get("/v1/locks"));
    const auto another = read_file(other.options().ca_file, 100'000).value();

    ASSERT_TRUE(write_file_atomically(stranger.options().ca_file, another, FileMode::Secret));
    const auto reply = client.get("/v1/locks");

    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error().detail, HasSubstr("is not signed by the CA in"));
}

TEST(HttpsClientFaults, TellsACaFileThatIsNone) {
    const TlsStranger stranger(kEmptyObject);
    const auto options = stranger.options();
    ASSERT_TRUE(write_file_atomically(options.ca_file, "no PEM", FileMode::Secret));

    const auto reply = Client(options).get("/v1/locks");

    ASSERT_FALSE(reply);
    EXPECT_EQ(start_failure_of(reply.error()), StartFailure::CannotRead);
    EXPECT_THAT(reply.error().detail, HasSubstr("is not a readable PEM file of CA certificates"));
}

}  // namespace
}  // namespace fencegate::testing
