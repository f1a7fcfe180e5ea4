// `fencegate top` as its users meet it: the real binary, a real gateway, a real terminal.
#include "tests/support/api_calls.hpp"
#include "tests/support/command_matcher.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/terminal_process.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>

namespace fencegate::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kEnter = "\x1b[?1049h";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

std::vector<std::string> top_of(const GatewayProcess& gateway,
                                const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"top", "--url", gateway.url(), "--data-dir",
                                       gateway.data_dir().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
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
        for (int waiter = 0; waiter < 2; ++waiter)
            waiters.push_back(begin(gateway, "POST", "/v1/locks/payments/pay_2",
                                    R"({"owner":"waiter","wait_ms":60000})"));
        await_waiters(client, "payments/pay_2", 2);
    }

    GatewayProcess gateway;
    std::string lease_id;  // of pay_2
    std::vector<HttpsClient> waiters;
};

void expect_the_scene(const std::string& picture) {
    EXPECT_THAT(picture, HasSubstr("locks held: 2, waiting: 2 for 1 lock, the longest for "));
    const auto held = line_with(picture, "payments/pay_2");
    EXPECT_TRUE(held.starts_with("payments/pay_2 holder default 3 ")) << held;
    EXPECT_THAT(held, HasSubstr("% 2 "));
    EXPECT_THAT(line_with(picture, " expired   "), HasSubstr("payments/pay_1 worker-a default 1 "));
    const auto refused = line_with(picture, "fence_token_stale");
    EXPECT_THAT(refused, HasSubstr("payments/pay_1 worker-a default 1 fence_token_stale "));
    EXPECT_TRUE(refused.ends_with(" 2")) << refused;  // the token of worker-b
}

TEST(Top, OnceShowsAHeldLockItsLineAnExpiryAndARefusal) {
    const Scene scene;

    const auto once = scene.gateway.run_cli(top_of(scene.gateway, {"--once"}));
    const auto piped = scene.gateway.run_cli(top_of(scene.gateway));

    EXPECT_THAT(once, Exits(0));
    expect_the_scene(once.out);
    EXPECT_THAT(once.out, Not(HasSubstr("\x1b")));
    EXPECT_THAT(piped, Exits(0));
    expect_the_scene(piped.out);
}

TEST(Top, OnceLooksAtAPrefixOnly) {
    const Scene scene;

    const auto once =
        scene.gateway.run_cli(top_of(scene.gateway, {"--once", "--prefix", "payments/pay_1"}));

    EXPECT_THAT(once, Exits(0));
    EXPECT_THAT(once.out, HasSubstr("locks held: 1, waiting: 0\n"));
    EXPECT_THAT(once.out, HasSubstr("fence_token_stale"));
    EXPECT_THAT(once.out, Not(HasSubstr("pay_2")));
}

TEST(Top, OnceReadsEveryPageOfTheList) {
    const GatewayProcess gateway;
    auto client = gateway.client();
    for (int at = 0; at < 230; ++at)
        client.request("POST", "/v1/locks/many/" + std::to_string(at), {}, "{}");

    const auto once = gateway.run_cli(top_of(gateway, {"--once"}));

    EXPECT_THAT(once.out, HasSubstr("locks held: 230,"));
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

    EXPECT_THAT(forbidden, Exits(77, "403 forbidden"));
    EXPECT_THAT(nobody, Exits(69, "Is the gateway running"));
    EXPECT_THAT(keyless, Exits(66, "--key-file"));
}

TEST(Top, ShowsOnATerminalWhatHappens) {
    const Scene scene;
    TerminalProcess top(FENCEGATE_BINARY, top_of(scene.gateway), {.width = 120, .height = 30});
    expect_the_scene(top.await_picture_with("waiting: 2 "));
    auto client = scene.gateway.client();

    const auto lease = acquire(client, "pay_3", {.owner = "newcomer"});
    EXPECT_THAT(top.await_picture_with("newcomer"), HasSubstr("locks held: 3"));
    release(client, lease.json_text("lease_id"));
    EXPECT_THAT(top.await_picture_without("newcomer"), HasSubstr("locks held: 2"));

    top.type("/payments/pay_1\r");
    EXPECT_THAT(top.await_picture_with("prefix: payments/pay_1  "), HasSubstr("locks held: 1"));
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
    EXPECT_THAT(picture, Not(HasSubstr("holder")));
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

    auto picture = top.next_picture();
    await("a picture of ten lines", [&] {
        if (picture.size() != 10) picture = top.next_picture();
        return picture.size() == 10;
    });
    for (const auto& line : picture) EXPECT_LE(line.size(), 40U) << line;
    top.type("q");
    EXPECT_EQ(top.wait_for_exit(), 0);
}

// Also: nothing of the first gateway's state is shown as the second's.
TEST(Top, OutlivesARestartOfTheGateway) {
    GatewayProcess gateway;
    auto client = gateway.client();
    const auto address = "127.0.0.1:" + std::to_string(gateway.listen().port);
    acquire(client, "pay_1", {.ttl_ms = 100, .owner = "brief"});
    acquire(client, "pay_2", {.ttl_ms = 3'600'000, .owner = "lasting"});
    TerminalProcess top(FENCEGATE_BINARY, top_of(gateway), {.width = 120, .height = 30});
    static_cast<void>(top.await_picture_with("lasting"));

    gateway.stop();
    static_cast<void>(top.await_picture_with("disconnected, retrying"));
    gateway.restart({"--listen", address});

    static_cast<void>(top.await_picture_with(" live "));
    EXPECT_THAT(top.await_picture_with("locks held: 1"), HasSubstr("lasting"));
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
