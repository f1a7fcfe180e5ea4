#pragma once
// Service: what a listener serves, in the three steps a session walks through. A service never
// touches the socket and never waits; the session does both.
//
//   admit   head only: credentials and route, before a byte of the body is read
//   begin   head and body: the reply at once, a command for the engine, a stream of events, a
//           statement
//   finish  the engine's answer: the reply
//
// Thread rule: one service is shared by all sessions of a listener; its methods are const or
// synchronised, and may be called from any session thread.

#include "proxy/http/framing_gate.hpp"
#include "proxy/http/reply.hpp"
#include "proxy/http/request_head.hpp"
#include "proxy/http/route_table.hpp"
#include "proxy/http/target.hpp"
#include "proxy/streams/statement.hpp"
#include "proxy/streams/subscription.hpp"
#include "storage/model/command.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace fencegate::proxy {

// One request on its way through a service.
struct Exchange {
    std::string request_id;
    RequestHead head;  // views into the session's copy of the head
    Framing framing;
    Target target;
    RouteMatch match;
    std::string principal;  // empty: nobody
};

using Begun = std::variant<Reply, storage::Command, Subscription, StatementRequest>;

class Service {
public:
    virtual ~Service() = default;
    [[nodiscard]] virtual Listener listener() const noexcept = 0;
    // Fills in target, route and principal. Fails with: the refusal to answer.
    [[nodiscard]] virtual Result<> admit(Exchange& exchange) const = 0;
    [[nodiscard]] virtual Begun begin(const Exchange& exchange, std::string_view body) = 0;
    [[nodiscard]] virtual Reply finish(const Exchange& exchange, storage::Answer answer) = 0;
};

}  // namespace fencegate::proxy
