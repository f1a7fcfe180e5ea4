// What a service manager is told, and by whom.
#include "base/notify_socket.hpp"

#include "tests/support/notify_listener.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace fencegate::testing {
namespace {

using namespace std::chrono_literals;

class NotifyEnvironment : public ::testing::Test {
protected:
    void SetUp() override { clear(); }
    void TearDown() override { clear(); }
    static void clear() {
        for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
            ::unsetenv(name);
    }
    static void set(const char* name, const std::string& value) {
        ::setenv(name, value.c_str(), 1);
    }
};

TEST_F(NotifyEnvironment, NamesTheSocketAndThePatience) {
    set("NOTIFY_SOCKET", "/run/systemd/notify");
    set("WATCHDOG_USEC", "30000000");
    set("WATCHDOG_PID", std::to_string(::getpid()));

    const auto options = NotifySocket::of_environment();

    EXPECT_EQ(options.address, "/run/systemd/notify");
    EXPECT_EQ(options.patience, 30s);
}

TEST_F(NotifyEnvironment, OfAnotherProcessWantsNoSignOfLife) {
    set("WATCHDOG_USEC", "30000000");
    set("WATCHDOG_PID", std::to_string(::getpid() + 1));

    EXPECT_EQ(NotifySocket::of_environment().patience, std::nullopt);
}

TEST_F(NotifyEnvironment, ThatIsNoNumberWantsNoSignOfLife) {
    for (const char* text : {"", "0", "-1", "30s", "99999999999999999999"}) {
        set("WATCHDOG_USEC", text);

        EXPECT_EQ(NotifySocket::of_environment().patience, std::nullopt) << text;
    }
}

TEST(NotifySocket, TellsTheManager) {
    const NotifyListener manager;
    const NotifySocket socket({.address = manager.address(), .patience = 2s});

    socket.ready();
    socket.alive();
    socket.stopping();

    EXPECT_EQ(manager.next(1s), "READY=1");
    EXPECT_EQ(manager.next(1s), "WATCHDOG=1");
    EXPECT_EQ(manager.next(1s), "STOPPING=1");
    EXPECT_EQ(socket.patience(), 2s);
}

TEST(NotifySocket, SaysWhenItReloads) {
    const NotifyListener manager;
    const NotifySocket socket({.address = manager.address()});
    const std::string begin = "RELOADING=1\nMONOTONIC_USEC=";

    socket.reloading();
    socket.reloading();

    const auto first = manager.next(1s).value_or("");
    const auto second = manager.next(1s).value_or("");
    ASSERT_TRUE(first.starts_with(begin)) << first;
    ASSERT_TRUE(second.starts_with(begin)) << second;
    EXPECT_GT(std::stoll(first.substr(begin.size())), 0);
    EXPECT_GE(std::stoll(second.substr(begin.size())), std::stoll(first.substr(begin.size())));
}

TEST(NotifySocket, TellsNobodyWhereNobodyListens) {
    for (const auto& address : {std::string(), std::string("/"), std::string("relative"),
                                std::string("/nowhere/notify"), "/" + std::string(200, 'x')}) {
        const NotifySocket socket({.address = address, .patience = 1s});

        socket.ready();

        EXPECT_EQ(socket.patience(), std::nullopt) << address;
    }
}

}  // namespace
}  // namespace fencegate::testing
