#include "cli/client/connection_options.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "cli/client/printable.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

namespace fencegate::cli {
namespace {

void put(const std::filesystem::path& file, std::string_view text) {
    ASSERT_TRUE(write_file_atomically(file, text, FileMode::Secret));
}

std::string complaint(const ConnectionOptions& options) {
    const auto made = api_connection(options);
    return made ? "none" : made.error().detail;
}

TEST(ServerUrl, NamesHostAndPort) {
    EXPECT_EQ(parse_server_url("https://127.0.0.1:8443"), (ServerAddress{"127.0.0.1", 8443}));
    EXPECT_EQ(parse_server_url("https://gate-1.example/"), (ServerAddress{"gate-1.example", 443}));
    EXPECT_EQ(parse_server_url("https://[::1]:9443/"), (ServerAddress{"::1", 9443}));
    EXPECT_EQ(parse_server_url("https://[fe80::1]"), (ServerAddress{"fe80::1", 443}));
}

TEST(ServerUrl, RefusesWhatIsNone) {
    for (const char* text :
         {"", "127.0.0.1:8443", "http://127.0.0.1:8443", "https://", "https://:1",
          "https://a:", "https://a:0", "https://a:65536", "https://a:1x", "https://a/v1",
          "https://a:1/v1", "https://[::1", "https://[::1]x", "https://[a]", "https://a b",
          "https://u@a", "https://a\r\nX: y"}) {
        const auto address = parse_server_url(text);
        ASSERT_FALSE(address) << text;
        EXPECT_EQ(start_failure_of(address.error()), StartFailure::BadConfig);
        EXPECT_EQ(address.error().detail.find('\n'), std::string::npos);
    }
}

TEST(ConnectionOptions, TakeCaAndKeyFromTheDataFolder) {
    const testing::TempDir folder;
    put(folder.path() / "ca.pem", "a CA");
    put(folder.path() / "api-key", "fg_secret\n");

    const auto api = api_connection({.url = "https://gate:1", .data_dir = folder.path()});
    const auto admin = admin_connection({.data_dir = folder.path()});

    ASSERT_TRUE(api && admin);
    EXPECT_EQ(api->host, "gate");
    EXPECT_EQ(api->port, 1);
    EXPECT_EQ(api->api_key, "fg_secret");
    EXPECT_EQ(api->ca_file, folder.path() / "ca.pem");
    EXPECT_EQ(admin->port, 9443);
}

TEST(ConnectionOptions, FilesThatAreNamedWin) {
    const testing::TempDir folder;
    put(folder.path() / "other.pem", "a CA");
    put(folder.path() / "other-key", "fg_other");

    const auto api = api_connection({.data_dir = folder.path(),
                                     .ca_file = folder.path() / "other.pem",
                                     .key_file = folder.path() / "other-key"});

    ASSERT_TRUE(api);
    EXPECT_EQ(api->api_key, "fg_other");
    EXPECT_EQ(api->ca_file, folder.path() / "other.pem");
}

TEST(ConnectionOptions, SayWhatIsMissingAndHowToNameIt) {
    const testing::TempDir folder;
    EXPECT_NE(complaint({.data_dir = folder.path()}).find("--key-file"), std::string::npos);
    put(folder.path() / "api-key", "fg_secret");
    EXPECT_NE(complaint({.data_dir = folder.path()}).find("--ca"), std::string::npos);
}

// It would end the header line, or leak a file that was named by mistake into an error.
TEST(ConnectionOptions, RefuseAKeyThatIsNoLineOfText) {
    const testing::TempDir folder;
    put(folder.path() / "ca.pem", "a CA");
    for (const std::string text : {"", "\n", "a b", "fg_a\r\nX-Evil: 1", "fg_\xc3\xa4"}) {
        put(folder.path() / "api-key", text);

        const auto words = complaint({.data_dir = folder.path()});

        EXPECT_TRUE(words.ends_with("is not an API key: one line of printable ASCII")) << words;
    }
}

TEST(Printable, LetsNoControlByteThrough) {
    EXPECT_EQ(printable("worker-7 ~"), "worker-7 ~");
    EXPECT_EQ(printable("\x1b[2J\x07\r\n\t\x7f"), "\\x1b[2J\\x07\\x0d\\x0a\\x09\\x7f");
    EXPECT_EQ(printable("zo\xc3\xab \xc2\x9b"), "zo\\xc3\\xab \\xc2\\x9b");
    EXPECT_EQ(printable("\\x1b"), "\\\\x1b");
    EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

}  // namespace
}  // namespace fencegate::cli
