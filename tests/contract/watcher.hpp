#pragma once
// Watcher: a client that follows events, as a test sees it: one event after the other.
// Owns: a connection. Refuses to own: judgement of events.
// Thread rule: one thread. Errors: std::runtime_error when the stream is refused or no event comes.

#include "tests/contract/gateway_suite.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fencegate::contract {

struct Event {
    std::string name;  // empty for a block without data: the opening, a heartbeat
    std::string id;
    std::string comment;
    Response data;  // its body: for the JSON accessors
};

class Watcher {
public:
    // Follows /v1/watch and `query`, e.g. "?lock=a", or another path. Subscribed on return.
    explicit Watcher(const GatewayProcess& gateway, std::string_view query = {},
                     std::string_view last_event_id = {});
    // Over a connection of the test's own.
    Watcher(const GatewayProcess& gateway, HttpsClient connected, std::string_view query,
            std::string_view last_event_id);

    // The next block of the stream, whatever it is.
    Event next_block();
    // The next event that has a name.
    Event next();
    // The names of the next `count` events.
    std::vector<std::string> names(std::size_t count);
    // All that comes until the gateway ends the stream.
    std::vector<Event> rest();

    Event opening;
    Response head;
    HttpsClient client;
};

// For failures: all that came.
std::ostream& operator<<(std::ostream& out, const Event& event);

// An event of that name whose data says this.
template <typename... Values>
[[nodiscard]] auto IsEvent(  // NOLINT(readability-identifier-naming): as gMock names its own
    std::string_view name, std::string_view members = {}, const Values&... values) {
    return ::testing::AllOf(::testing::Field("name", &Event::name, std::string(name)),
                            ::testing::Field("data", &Event::data, Says(members, values...)));
}

// The number of the event within its run: what stands behind the dash of its id.
[[nodiscard]] std::uint64_t number_of(const Event& event);

// Value of a series without labels, or with them as they are scraped.
[[nodiscard]] std::string metric(const GatewayProcess& gateway, std::string_view series);
[[nodiscard]] std::size_t resident_kib(const GatewayProcess& gateway);

}  // namespace fencegate::contract
