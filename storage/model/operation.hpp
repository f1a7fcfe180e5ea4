#pragma once
// What an operation is called, and the key it carries: one table for records, replays and remedies.
// Names are stored and shown; they never change.
// Thread rule: pure functions over plain values.

#include "storage/model/command.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fencegate::storage {

// A kind of write. Whatever takes a lock is an acquire to the rules, and still three things to ask
// for.
enum class OperationKind : std::uint8_t {
    Read,
    Acquire,
    Campaign,
    Claim,
    Renew,
    Release,
    Break,
    Proclaim,
    Resign,
    Done,
    Failed,
    Create,
    Capture,
    Refund,
    Cancel,
    Acknowledge,
    Forget,
};

inline constexpr std::array kOperationKinds{
    OperationKind::Read,        OperationKind::Acquire,  OperationKind::Campaign,
    OperationKind::Claim,       OperationKind::Renew,    OperationKind::Release,
    OperationKind::Break,       OperationKind::Proclaim, OperationKind::Resign,
    OperationKind::Done,        OperationKind::Failed,   OperationKind::Create,
    OperationKind::Capture,     OperationKind::Refund,   OperationKind::Cancel,
    OperationKind::Acknowledge, OperationKind::Forget,
};

[[nodiscard]] Access access_of(const Operation& operation);
[[nodiscard]] OperationKind kind_of(const Operation& operation);
[[nodiscard]] std::string_view operation_name(OperationKind kind) noexcept;

[[nodiscard]] bool takes_lock(OperationKind kind) noexcept;
// Whether it moves money, or might have.
[[nodiscard]] bool moves_money(OperationKind kind) noexcept;

// Whether it is made under a token, or may be.
[[nodiscard]] bool is_fenced(OperationKind kind) noexcept;

// nullptr: it carries none.
[[nodiscard]] const Idempotency* idempotency_of(const Operation& operation);
// Nothing happens to a read.
void attach(Operation& operation, Idempotency idempotency);

// The token that was presented for the fence, if it has the form of one.
[[nodiscard]] std::optional<lockmgr::FencingToken> presented_token(const Operation& operation);

}  // namespace fencegate::storage
