#pragma once
// Documents: the JSON of each resource, in one place. It is rendered in the store and not at the
// edge because idempotency remembers it: a replay returns the first bytes, whatever version of the
// program answers.
// Thread rule: pure functions.

#include "lockmgr/lease.hpp"
#include "storage/payment.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace fencegate::storage {

// `remaining` is absent once the lease has ended.
[[nodiscard]] std::string lease_document(const lockmgr::Lease& lease,
                                         std::optional<Duration> remaining);

// A lock with its live lease, if it has one.
[[nodiscard]] std::string lock_document(const lockmgr::LockName& lock,
                                        const std::optional<lockmgr::Lease>& lease,
                                        Duration remaining, std::size_t waiters);

[[nodiscard]] std::string payment_document(const Payment& payment);

// A refund right after it was made: with the totals of its payment.
[[nodiscard]] std::string refund_document(const Refund& refund, const Payment& after);

[[nodiscard]] std::string refunds_document(const std::vector<Refund>& refunds,
                                           const Payment& payment, bool has_more);

// "ref_" and 32 hex digits.
[[nodiscard]] std::string refund_id(const Uuid& id);

[[nodiscard]] std::string_view lease_state_name(lockmgr::LeaseState state) noexcept;

}  // namespace fencegate::storage
