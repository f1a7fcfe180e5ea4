// The sockets that the gateway accepts ask their peers whether they still live.
#include "tests/contract/gateway_suite.hpp"

#include <fstream>
#include <iomanip>
#include <sstream>

namespace fencegate::contract {
namespace {

// Timers of the established connections whose own port is this one, as /proc/net/tcp tells them:
// 2 is that of keep-alive. Others take its place for a moment, while something is unacknowledged.
std::vector<std::string> timers_of(std::uint16_t port) {
    std::ostringstream own;
    own << ':' << std::hex << std::uppercase << std::setw(4) << std::setfill('0') << port;
    std::ifstream table("/proc/net/tcp");
    std::vector<std::string> timers;
    for (std::string line; std::getline(table, line);) {
        std::istringstream in(line);
        std::string number, local, remote, state, queues, timer;
        in >> number >> local >> remote >> state >> queues >> timer;
        if (local.ends_with(own.str()) && state == "01") timers.push_back(timer.substr(0, 2));
    }
    return timers;
}

using DeadPeers = GatewaySuite;

TEST_F(DeadPeers, EveryAcceptedConnectionIsAsked) {
    ASSERT_THAT(get("/v1/locks/a"), Is(200));
    auto waiting = begin("GET", "/v1/locks/a");
    ASSERT_THAT(waiting.read_response(), Is(200));

    const auto port = gateway().listen().port;
    const auto all_are_asked = [&] {
        const auto timers = timers_of(port);
        return timers.size() >= 2 && std::ranges::count(timers, "02") == std::ssize(timers);
    };

    await("all are asked", all_are_asked);
}

}  // namespace
}  // namespace fencegate::contract
