// The gateway as a service of systemd: what the manager is told, on a real socket.
#include "tests/e2e/switched_disk.hpp"
#include "tests/support/api_calls.hpp"
#include "tests/support/notify_listener.hpp"
#include "tests/support/reply_matcher.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace fencegate::testing {
namespace {

using namespace std::chrono_literals;

GatewayOptions told_to(const NotifyListener& manager, GatewayOptions options = {}) {
    options.environment.push_back("NOTIFY_SOCKET=" + manager.address());
    return options;
}

TEST(Service, TellsThatItServesReloadsAndStops) {
    const NotifyListener manager;
    GatewayProcess gateway(told_to(manager));

    EXPECT_EQ(manager.next_event(), "READY=1");
    EXPECT_THAT(gateway.client().request("GET", "/v1/locks/a"), Is(200));
    gateway.signal(SIGHUP);
    EXPECT_TRUE(manager.next_event().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    EXPECT_EQ(manager.next_event(), "READY=1");
    EXPECT_EQ(gateway.stop(), 0);
    EXPECT_EQ(manager.next_event(), "STOPPING=1");
    EXPECT_EQ(manager.next(0ms), std::nullopt);
}

// A service that never said READY would be killed instead of reloaded.
TEST(Service, IsReadyAgainAfterAReloadThatFailed) {
    const NotifyListener manager;
    GatewayProcess gateway(told_to(manager));
    ASSERT_EQ(manager.next_event(), "READY=1");
    std::filesystem::copy_file(gateway.data_dir() / "ca.key", gateway.data_dir() / "server.key",
                               std::filesystem::copy_options::overwrite_existing);

    gateway.signal(SIGHUP);

    EXPECT_TRUE(manager.next_event().starts_with("RELOADING=1"));
    EXPECT_EQ(manager.next_event(), "READY=1");
}

TEST(Service, ThatIsRefusedNeverSaysThatItServes) {
    const NotifyListener manager;

    EXPECT_THROW(GatewayProcess(told_to(manager, {.configuration = "nonsense = 1"})),
                 std::runtime_error);

    EXPECT_EQ(manager.next(0ms), std::nullopt);
}

// The edge and the main thread are well all the while.
TEST(Service, GivesNoSignOfLifeWhileItsStoreHangs) {
    const NotifyListener manager;
    SwitchedDisk disk("store.db-wal");
    auto options = told_to(manager, disk.options());
    options.environment.emplace_back("WATCHDOG_USEC=100000");
    GatewayProcess gateway(options);
    ASSERT_EQ(manager.next_event(), "READY=1");
    ASSERT_EQ(manager.next(10s), "WATCHDOG=1") << "an idle store is alive";

    disk.set(DiskMode::Holds);
    auto client = begin(gateway, "POST", "/v1/locks/a", "{}");
    await("a commit that hangs", [&] { return disk.holds_somebody(); });
    while (manager.next(0ms)) {
    }
    EXPECT_EQ(manager.next(500ms), std::nullopt) << "ten askings long";
    EXPECT_THAT(gateway.admin_client().request("GET", "/healthz"), Is(200));
    disk.set(DiskMode::Works);

    EXPECT_EQ(manager.next(10s), "WATCHDOG=1");
    EXPECT_THAT(client.read_response(), Is(201));
}

}  // namespace
}  // namespace fencegate::testing
