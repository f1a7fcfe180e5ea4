// `fencegate top` as its users meet it: the real binary, a real gateway, a real terminal.
#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/terminal_process.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>

namespace fencegate::testing {
namespace {

constexpr std::string_view kEnter = "\x1b[?1049h";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

std::vector<std::string> top_of(const GatewayProcess& gateway,
                                const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"top", "--url",
                                       "https://127.0.0.1:" + std::to_string(gateway.listen().port),
                                       "--data-dir", gateway.data_dir().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

bool shows(const std::string& picture, std::string_view words) {
    return picture.find(words) != std::string::npos;
}

// The line of a picture in which this is found, its columns separated by one blank.
std::string line_with(const std::string& picture, std::string_view words) {
    const auto at = picture.find(words);
    if (at == std::string::npos) return "none: " + picture;
    const auto begin = picture.rfind('\n', at) + 1;
    std::string line;
    for (const char letter : picture.substr(begin, picture.find('\n', at) - begin))
        if (letter != ' ' || !line.ends_with(' ')) line += letter;
    return line;
}

// A waiter whose answer nobody reads yet.
HttpsClient wait_in_line(const GatewayProcess& gateway, std::string_view lock) {
    auto client = gateway.client();
    const std::string body = R"({"owner":"waiter","wait_ms":60000})";
    client.send_raw("POST /v1/locks/" + std::string(lock) +
                    " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + gateway.api_key() +
                    "\r\nContent-Type: application/json\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body);
    return client;
}

// pay_1: worker-a's lease expired, worker-b holds it, and a late write of worker-a was refused.
// pay_2: somebody holds it and two wait.
class Scene {
public:
    Scene() {
        auto client = gateway.client();
        create_payment(client, "pay_1", 5'000);
        const auto stale = acquire(client, "pay_1", {.ttl_ms = 100, .owner = "worker-a"});
        acquire(client, "pay_1", {.wait_ms = 10'000, .owner = "worker-b"});
        refund(client, "pay_1", {.token = stale.header("X-Fence-Token"), .key = "late"});
        lease_id = acquire(client, "pay_2", {.owner = "holder"}).json_text("lease_id");
        waiters.push_back(wait_in_line(gateway, "payments/pay_2"));
        waiters.push_back(wait_in_line(gateway, "payments/pay_2"));
        const Deadline deadline(std::chrono::seconds(10));
        while (client.request("GET", "/v1/locks/payments/pay_2").json_int("waiters") != 2)
            if (deadline.has_passed()) throw std::runtime_error("nobody waits");
    }

    GatewayProcess gateway;
    std::string lease_id;  // of pay_2
    std::vector<HttpsClient> waiters;
};

void expect_the_scene(const std::string& picture) {
    EXPECT_TRUE(shows(picture, "locks held: 2, waiting: 2 for 1 lock, the longest for "))
        << picture;
    const auto held = line_with(picture, "payments/pay_2");
    EXPECT_TRUE(held.starts_with("payments/pay_2 holder default 3 ")) << held;
    EXPECT_TRUE(shows(held, "% 2 ")) << held;
    EXPECT_TRUE(shows(line_with(picture, " expired   "), "payments/pay_1 worker-a default 1 "))
        << picture;
    const auto refused = line_with(picture, "fence_token_stale");
    EXPECT_TRUE(shows(refused, "payments/pay_1 worker-a default 1 fence_token_stale ")) << refused;
    EXPECT_TRUE(refused.ends_with(" 2")) << refused;  // the token of worker-b
}

TEST(Top, OnceShowsAHeldLockItsLineAnExpiryAndARefusal) {
    const Scene scene;

    const auto once = scene.gateway.run_cli(top_of(scene.gateway, {"--once"}));
    const auto piped = scene.gateway.run_cli(top_of(scene.gateway));

    EXPECT_EQ(once.exit_code, 0) << once.err;
    expect_the_scene(once.out);
    EXPECT_FALSE(shows(once.out, "\x1b"));
    EXPECT_EQ(piped.exit_code, 0) << piped.err;
    expect_the_scene(piped.out);
}

TEST(Top, OnceLooksAtAPrefixOnly) {
    const Scene scene;

    const auto once =
        scene.gateway.run_cli(top_of(scene.gateway, {"--once", "--prefix", "payments/pay_1"}));

    EXPECT_EQ(once.exit_code, 0) << once.err;
    EXPECT_TRUE(shows(once.out, "locks held: 1, waiting: 0\n")) << once.out;
    EXPECT_TRUE(shows(once.out, "fence_token_stale")) << once.out;
    EXPECT_FALSE(shows(once.out, "pay_2")) << once.out;
}

TEST(Top, OnceReadsEveryPageOfTheList) {
    const GatewayProcess gateway;
    auto client = gateway.client();
    for (int at = 0; at < 230; ++at)
        client.request("POST", "/v1/locks/many/" + std::to_string(at), {}, "{}");

    const auto once = gateway.run_cli(top_of(gateway, {"--once"}));

    EXPECT_TRUE(shows(once.out, "locks held: 230,")) << once.out.substr(0, 200);
    EXPECT_EQ(std::ranges::count(once.out, '\n'), 230 + 4 + 6);
}

TEST(Top, SaysWhyItCannotBegin) {
    GatewayProcess gateway;
    const auto key_file = gateway.folder() / "reporter-key";
    std::ofstream(key_file) << gateway.add_key("reporter", {"payments:read"});
    const auto as_reporter = top_of(gateway, {"--key-file", key_file.string()});

    const auto forbidden = gateway.run_cli(as_reporter);
    gateway.stop();
    const auto nobody = gateway.run_cli(as_reporter);
    std::filesystem::remove(gateway.data_dir() / "api-key");
    const auto keyless = gateway.run_cli(top_of(gateway));

    EXPECT_EQ(forbidden.exit_code, 77);
    EXPECT_TRUE(shows(forbidden.err, "403 forbidden")) << forbidden.err;
    EXPECT_EQ(nobody.exit_code, 69);
    EXPECT_TRUE(shows(nobody.err, "Is the gateway running")) << nobody.err;
    EXPECT_EQ(keyless.exit_code, 66);
    EXPECT_TRUE(shows(keyless.err, "--key-file")) << keyless.err;
}

TEST(Top, ShowsOnATerminalWhatHappens) {
    const Scene scene;
    TerminalProcess top(FENCEGATE_BINARY, top_of(scene.gateway), {.width = 120, .height = 30});
    expect_the_scene(top.await_picture_with("waiting: 2 "));
    auto client = scene.gateway.client();

    const auto lease = acquire(client, "pay_3", {.owner = "newcomer"});
    EXPECT_TRUE(shows(top.await_picture_with("newcomer"), "locks held: 3"));
    release(client, lease.json_text("lease_id"));
    EXPECT_TRUE(shows(top.await_picture_without("newcomer"), "locks held: 2"));

    top.type("/payments/pay_1\r");
    EXPECT_TRUE(shows(top.await_picture_with("prefix: payments/pay_1  "), "locks held: 1"));
    top.type("s");
    static_cast<void>(top.await_picture_with("sort: least left"));
    top.type("q");
    EXPECT_EQ(top.wait_for_exit(), 0);
}

// Nobody holds, nobody waits: also when that came about between two readings of the line.
TEST(Top, ForgetsALineThatHasGone) {
    Scene scene;
    TerminalProcess top(FENCEGATE_BINARY, top_of(scene.gateway), {.width = 120, .height = 30});
    static_cast<void>(top.await_picture_with("waiting: 2 for 1 lock"));
    auto client = scene.gateway.client();

    scene.waiters.clear();
    release(client, scene.lease_id);

    const auto picture = top.await_picture_with("waiting: 0\n");
    EXPECT_FALSE(shows(picture, "holder")) << picture;
    top.type("q");
    EXPECT_EQ(top.wait_for_exit(), 0);
}

TEST(Top, QLeavesTheTerminalAsItWas) {
    const GatewayProcess gateway;
    TerminalProcess top(FENCEGATE_BINARY, top_of(gateway));
    EXPECT_TRUE(top.read_until(kEnter).ends_with(kEnter));
    static_cast<void>(top.await_picture_with("q quit"));
    EXPECT_FALSE(is_same_mode(top.mode(), top.mode_at_start()));

    top.type("q");

    EXPECT_EQ(top.wait_for_exit(), 0);
    EXPECT_TRUE(top.rest().ends_with(kLeave));
    EXPECT_TRUE(is_same_mode(top.mode(), top.mode_at_start()));
}

TEST(Top, SignalsLeaveTheTerminalAsItWasToo) {
    const GatewayProcess gateway;
    struct Row {
        int signal;
        int exit_code;
    };
    for (const auto& row : {Row{SIGINT, 0}, Row{SIGTERM, 128 + SIGTERM}, Row{SIGHUP, 128 + SIGHUP},
                            Row{SIGQUIT, 128 + SIGQUIT}}) {
        TerminalProcess top(FENCEGATE_BINARY, top_of(gateway));
        static_cast<void>(top.await_picture_with("q quit"));

        top.signal(row.signal);

        EXPECT_EQ(top.wait_for_exit(), row.exit_code);
        EXPECT_TRUE(top.rest().ends_with(kLeave)) << row.signal;
        EXPECT_TRUE(is_same_mode(top.mode(), top.mode_at_start())) << row.signal;
    }
}

TEST(Top, ComesBackFromAStop) {
    const GatewayProcess gateway;
    TerminalProcess top(FENCEGATE_BINARY, top_of(gateway));
    static_cast<void>(top.await_picture_with("q quit"));

    top.type("\x1a");  // Ctrl-Z
    top.await_stop();
    EXPECT_TRUE(top.read_until(kLeave).ends_with(kLeave));
    EXPECT_TRUE(is_same_mode(top.mode(), top.mode_at_start()));
    top.signal(SIGCONT);

    EXPECT_TRUE(top.read_until(kEnter).ends_with(kEnter));
    static_cast<void>(top.await_picture_with("q quit"));
    top.type("q");
    EXPECT_EQ(top.wait_for_exit(), 0);
}

TEST(Top, FollowsTheSizeOfItsWindow) {
    const Scene scene;
    TerminalProcess top(FENCEGATE_BINARY, top_of(scene.gateway), {.width = 120, .height = 30});
    static_cast<void>(top.await_picture_with("waiting: 2 "));
    EXPECT_EQ(top.next_picture().size(), 30U);

    top.resize({.width = 40, .height = 10});

    const Deadline deadline(std::chrono::seconds(10));
    auto picture = top.next_picture();
    while (picture.size() != 10) {
        ASSERT_FALSE(deadline.has_passed());
        picture = top.next_picture();
    }
    for (const auto& line : picture) EXPECT_LE(line.size(), 40U) << line;
    top.type("q");
    EXPECT_EQ(top.wait_for_exit(), 0);
}

// Also: nothing of the first gateway's state is shown as the second's.
TEST(Top, OutlivesARestartOfTheGateway) {
    GatewayProcess gateway;
    auto client = gateway.client();
    const auto port = std::to_string(gateway.listen().port);
    acquire(client, "pay_1", {.ttl_ms = 100, .owner = "brief"});
    acquire(client, "pay_2", {.ttl_ms = 3'600'000, .owner = "lasting"});
    TerminalProcess top(FENCEGATE_BINARY, top_of(gateway), {.width = 120, .height = 30});
    static_cast<void>(top.await_picture_with("lasting"));

    gateway.stop();
    static_cast<void>(top.await_picture_with("disconnected, retrying"));
    ChildProcess again(
        {.binary = FENCEGATE_BINARY,
         .arguments = {"serve", "--data-dir", gateway.data_dir().string(), "--listen",
                       "127.0.0.1:" + port, "--admin-listen", "127.0.0.1:0", "--access-log", "off"},
         .stderr_file = gateway.folder() / "again.log"});

    static_cast<void>(top.await_picture_with(" live "));
    EXPECT_TRUE(shows(top.await_picture_with("locks held: 1"), "lasting"));
    top.type("q");
    EXPECT_EQ(top.wait_for_exit(), 0);
}

// The keys are not held up by a gateway that does not answer.
TEST(Top, CanBeLeftWhileTheGatewayStandsStill) {
    GatewayProcess gateway;
    TerminalProcess top(FENCEGATE_BINARY, top_of(gateway));
    static_cast<void>(top.await_picture_with(" live "));
    gateway.pause();
    static_cast<void>(top.next_picture());

    top.type("q");

    EXPECT_EQ(top.wait_for_exit(), 0);
    gateway.resume();
}

}  // namespace
}  // namespace fencegate::testing
