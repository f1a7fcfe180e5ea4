#pragma once
// Remedies: what to do about a refusal, by what was asked for. One table, because a remedy that is
// right for one route is wrong for another: who is too late to release has nothing to acquire, and
// who is told to pay under another key pays twice.
// Rules: the remedy of a movement of money keeps its Idempotency-Key, always. An acquire that is
// over for good asks for another key, because the old one stands for the lease that has ended.
// Thread rule: pure functions over constants.

#include "storage/model/operation.hpp"

#include <string_view>

namespace fencegate::storage {

// {lock} in it stands for the lock in question. Empty: there is no remedy, the detail says it all.
[[nodiscard]] std::string_view remedy_text(OperationKind kind, ErrorCode code) noexcept;

// Adds the member "remedy", if there is one and the refusal does not bring its own.
void advise(const Operation& operation, Error& error);

}  // namespace fencegate::storage
