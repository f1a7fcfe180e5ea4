#include "proxy/api/routes.hpp"

#include "base/digest.hpp"
#include "storage/model/canonical_form.hpp"

#include <algorithm>

namespace fencegate::proxy {
namespace {

// The parameters by name, each with its length: their order and their escapes do not count.
std::string canonical_query(const Target& target) {
    auto query = target.query;
    std::ranges::sort(query);
    std::string text;
    for (const auto& [name, value] : query) {
        for (const std::string_view part : {name, std::string_view(value)})
            text.append(std::to_string(part.size())).append(":").append(part);
    }
    return text;
}

}  // namespace

const RouteTable& api_routes() {
    static const RouteTable table(Listener::Public, 1,
                                  "No such route. The API is described in docs/api.md.",
                                  {lock_routes(), election_routes(), run_routes(), watch_routes(),
                                   payment_routes(), ledger_routes(), event_routes()});
    return table;
}

storage::Idempotency make_idempotency(const RouteRequest& request, std::string key,
                                      const storage::Operation& operation,
                                      const lockmgr::LockClasses& classes) {
    const auto& head = request.head;
    storage::Idempotency made;
    made.digest = storage::key_digest(request.principal, key);
    made.key = std::move(key);
    made.fingerprint = sha256({head.method, request.target.path, canonical_query(request.target),
                               storage::canonical_form(operation, classes), request.principal});
    made.raw_fingerprint = sha256({head.method, head.target, request.body, request.principal});
    return made;
}

}  // namespace fencegate::proxy
