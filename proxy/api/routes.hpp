#pragma once
// The routes of the API, a table for each *_routes.cpp and all of them together; and what a request
// that was asked under a key is told from others by.
// Thread rule: pure functions over constants.

#include "lockmgr/lock_class.hpp"
#include "proxy/http/route_table.hpp"
#include "storage/model/command.hpp"

#include <span>
#include <string>

namespace fencegate::proxy {

[[nodiscard]] const RouteTable& api_routes();

[[nodiscard]] std::span<const Route> lock_routes() noexcept;
[[nodiscard]] std::span<const Route> election_routes() noexcept;
[[nodiscard]] std::span<const Route> run_routes() noexcept;
[[nodiscard]] std::span<const Route> watch_routes() noexcept;
[[nodiscard]] std::span<const Route> payment_routes() noexcept;
[[nodiscard]] std::span<const Route> ledger_routes() noexcept;
[[nodiscard]] std::span<const Route> event_routes() noexcept;

// See storage/model/canonical_form.hpp. `classes` are those that the store was opened with.
[[nodiscard]] storage::Idempotency make_idempotency(const RouteRequest& request, std::string key,
                                                    const storage::Operation& operation,
                                                    const lockmgr::LockClasses& classes);

}  // namespace fencegate::proxy
