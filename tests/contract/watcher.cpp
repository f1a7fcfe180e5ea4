#include "tests/contract/watcher.hpp"

#include "tests/support/api_calls.hpp"

#include <stdexcept>

namespace fencegate::contract {
namespace {

Event parse(std::string_view block) {
    Event event;
    while (!block.empty()) {
        const auto end = block.find('\n');
        const auto line = block.substr(0, end);
        block.remove_prefix(end + 1);
        if (line.starts_with(": ")) event.comment = line.substr(2);
        if (line.starts_with("event: ")) event.name = line.substr(7);
        if (line.starts_with("id: ")) event.id = line.substr(4);
        if (line.starts_with("data: ")) event.data.body = line.substr(6);
    }
    return event;
}

}  // namespace

Watcher::Watcher(const GatewayProcess& gateway, std::string_view query,
                 std::string_view last_event_id)
    : Watcher(gateway, gateway.client(), query, last_event_id) {}

Watcher::Watcher(const GatewayProcess& gateway, HttpsClient connected, std::string_view query,
                 std::string_view last_event_id)
    : client(std::move(connected)) {
    Headers headers{{"Accept", "text/event-stream"}};
    if (!last_event_id.empty()) headers.emplace_back("Last-Event-ID", last_event_id);
    // A path stands for itself.
    const auto target = (query.starts_with('/') ? "" : "/v1/watch") + std::string(query);
    client.send_raw(request_text(gateway, "GET", target, headers));
    head = client.read_head();
    if (head.status != 200)
        throw std::runtime_error("cannot watch: " + std::to_string(head.status));
    opening = next_block();
}

Event Watcher::next_block() { return parse(client.read_body_until("\n\n")); }

Event Watcher::next() {
    for (;;) {
        auto event = next_block();
        if (!event.name.empty()) return event;
    }
}

std::vector<std::string> Watcher::names(std::size_t count) {
    std::vector<std::string> names;
    while (names.size() < count) names.push_back(next().name);
    return names;
}

std::vector<Event> Watcher::rest() {
    std::vector<Event> events;
    try {
        for (;;) events.push_back(next());
    } catch (const std::runtime_error&) {
        if (!client.closed_by_peer()) throw;
    }
    return events;
}

std::ostream& operator<<(std::ostream& out, const Event& event) {
    return out << event.name << " " << event.id << " " << event.comment << " " << event.data.body;
}

std::uint64_t number_of(const Event& event) {
    return std::stoull(event.id.substr(event.id.find('-') + 1));
}

std::string metric(const GatewayProcess& gateway, std::string_view series) {
    auto admin = gateway.admin_client();
    return testing::metric(admin, series);
}

std::size_t resident_kib(const GatewayProcess& gateway) {
    return static_cast<std::size_t>(std::stod(metric(gateway, "process_resident_memory_bytes"))) /
           1024;
}

}  // namespace fencegate::contract
