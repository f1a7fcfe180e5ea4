#pragma once
// What every way of taking a lock has in common: the members of its body and the names it is for.
// Ranges that depend on the lock class are judged by the store's rules; here is only what the
// request itself can be wrong in.
// Thread rule: pure functions.

#include "proxy/api/routes.hpp"
#include "proxy/json/json_body.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fencegate::proxy {

inline constexpr std::size_t kValueBytesMax = 1024;  // metadata, the value of an election

// A lock name that may be taken. Fails with: InvalidLockName; also for what is a route of its own.
[[nodiscard]] Result<lockmgr::LockName> read_lock_name(std::string_view text);

// Sorted. Fails with: InvalidArgument for none, too many or one twice; InvalidLockName.
[[nodiscard]] Result<std::vector<lockmgr::LockName>> read_lock_names(
    const std::vector<std::string>& texts);

// The members ttl_ms, wait_ms, owner and metadata; the locks, mode and purpose are left to the
// caller.
[[nodiscard]] Result<storage::AcquireLock> read_acquire(const RouteRequest& request,
                                                        const JsonBody& body);

// The members mode and permits.
[[nodiscard]] Result<lockmgr::Claim> read_claim(const JsonBody& body);

// nullopt if the member is absent.
[[nodiscard]] Result<std::optional<Duration>> read_duration(const JsonBody& body,
                                                            std::string_view name);

// `first` and the names in the member `locks`, which a lease on it covers too.
[[nodiscard]] Result<std::vector<lockmgr::LockName>> read_further_locks(
    const JsonBody& body, const lockmgr::LockName& first);

}  // namespace fencegate::proxy
