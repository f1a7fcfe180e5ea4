#include "proxy/api/api_service.hpp"

#include "base/check.hpp"
#include "proxy/http/authorize.hpp"
#include "proxy/http/page_links.hpp"
#include "proxy/http/request_headers.hpp"
#include "storage/model/operation.hpp"

namespace fencegate::proxy {
namespace {

// On every route that may change something. What it means there is the store's.
Result<std::optional<std::string>> read_key(const RequestHead& head) {
    if (head.method == "GET" || !head.idempotency_key) return std::nullopt;
    auto key = read_idempotency_key(*head.idempotency_key);
    if (!key) return std::unexpected(key.error());
    return *std::move(key);
}

// Never ignored: its sender counts on the lease's end.
Result<> check_release(const RequestHead& head, const Asked& asked) {
    const auto* operation = std::get_if<storage::Operation>(&asked);
    if (operation == nullptr || !storage::is_fenced(storage::kind_of(*operation)))
        return fail(
            ErrorCode::InvalidArgument,
            "X-Fence-Release ends the lease that a write is made under, and this route makes no "
            "fenced write. Nothing was done.");
    // Where a token is required its absence is the store's to tell, after the key.
    const bool may_be_unfenced = std::holds_alternative<storage::CreatePayment>(*operation);
    if (may_be_unfenced && head.fence_token_count == 0)
        return fail(ErrorCode::InvalidArgument,
                    "X-Fence-Release needs the X-Fence-Token of the lease that is to end. Nothing "
                    "was done.");
    return {};
}

// Cuts the target and looks it up. Leaves the target in the exchange, whose views the match holds.
Result<RouteMatch> find_route(Exchange& exchange) {
    auto target = parse_target(exchange.head.target);
    if (!target) return std::unexpected(target.error());
    exchange.target = *std::move(target);
    return api_routes().match(exchange.head.method, exchange.target);
}

}  // namespace

Result<> ApiService::admit(Exchange& exchange) const {
    // Who is nobody learns nothing about routes, not even that a path is malformed: whatever is
    // wrong with the target is told only after the credentials.
    const auto match = find_route(exchange);
    const auto scope = match ? match->route->scope.value_or(Scope::LocksRead) : Scope::LocksRead;
    auto principal = authorize(credentials_, exchange.head.authorization, scope);
    if (!principal && principal.error().code == ErrorCode::Unauthenticated)
        return std::unexpected(principal.error());
    if (!match) return std::unexpected(match.error());
    exchange.match = *match;
    if (!principal) return std::unexpected(principal.error());
    exchange.principal = *std::move(principal);
    return {};
}

Begun ApiService::begin(const Exchange& exchange, std::string_view body) {
    auto begun = try_begin(exchange, body);
    return begun ? *std::move(begun) : refuse(begun.error(), exchange.request_id);
}

Result<Begun> ApiService::try_begin(const Exchange& exchange, std::string_view body) const {
    if (!body.empty()) {
        if (const auto type = check_json_content_type(exchange.head.content_type); !type)
            return std::unexpected(type.error());
    }
    const RouteRequest request{.head = exchange.head,
                               .target = exchange.target,
                               .parameters = exchange.match.parameters,
                               .body = body,
                               .principal = exchange.principal,
                               .limits = limits_};
    const auto releases = read_fence_release(exchange.head);
    if (!releases) return std::unexpected(releases.error());
    auto key = read_key(exchange.head);
    if (!key) return std::unexpected(key.error());
    auto asked = exchange.match.route->build(request);
    if (!asked) return std::unexpected(asked.error());
    if (*releases) {
        if (const auto fits = check_release(exchange.head, *asked); !fits)
            return std::unexpected(fits.error());
    }
    if (auto* subscription = std::get_if<Subscription>(&*asked)) return std::move(*subscription);
    if (auto* statement = std::get_if<StatementRequest>(&*asked)) return std::move(*statement);
    auto* operation = std::get_if<storage::Operation>(&*asked);
    FG_CHECK(operation != nullptr);  // the rest are the operator's
    if (*key) attach(*operation, make_idempotency(request, **std::move(key), *operation, classes_));
    return storage::Command{exchange.principal, exchange.request_id, std::move(*operation),
                            exchange.match.route->pattern, *releases};
}

Reply ApiService::finish(const Exchange& exchange, storage::Answer answer) {
    auto links = page_links(exchange.target, answer.next_cursor, answer.previous_cursor);
    auto reply = reply_to(std::move(answer), exchange.match.route->success_status,
                          exchange.match.route->location, exchange.request_id);
    if (!links.empty()) reply.add_header("Link", links);
    return reply;
}

}  // namespace fencegate::proxy
