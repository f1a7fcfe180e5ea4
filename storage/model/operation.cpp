#include "storage/model/operation.hpp"

#include "base/overloaded.hpp"

#include <utility>

namespace fencegate::storage {
namespace {

OperationKind kind_of_acquire(const AcquireLock& acquire) {
    if (std::holds_alternative<Campaign>(acquire.purpose)) return OperationKind::Campaign;
    if (std::holds_alternative<ClaimRun>(acquire.purpose)) return OperationKind::Claim;
    return OperationKind::Acquire;
}

OperationKind kind_of_move(const MovePayment& move) {
    switch (move.kind) {
        case MovePayment::Kind::Capture: return OperationKind::Capture;
        case MovePayment::Kind::Refund: return OperationKind::Refund;
        case MovePayment::Kind::Cancel: return OperationKind::Cancel;
    }
    return OperationKind::Refund;
}

}  // namespace

Access access_of(const Operation& operation) {
    return std::visit([](const auto& asked) { return asked.kAccess; }, operation);
}

OperationKind kind_of(const Operation& operation) {
    using Kind = OperationKind;
    return std::visit(
        Overloaded{
            [](const AcquireLock& acquire) { return kind_of_acquire(acquire); },
            [](const RenewLease&) { return Kind::Renew; },
            [](const ReleaseLease&) { return Kind::Release; },
            [](const BreakLock&) { return Kind::Break; },
            [](const Proclaim&) { return Kind::Proclaim; },
            [](const Resign&) { return Kind::Resign; },
            [](const FinishRun& finish) { return finish.is_done ? Kind::Done : Kind::Failed; },
            [](const CreatePayment&) { return Kind::Create; },
            [](const MovePayment& move) { return kind_of_move(move); },
            [](const Acknowledge&) { return Kind::Acknowledge; },
            [](const ForgetConsumer&) { return Kind::Forget; },
            [](const auto&) { return Kind::Read; },
        },
        operation);
}

std::string_view operation_name(OperationKind kind) noexcept {
    switch (kind) {
        case OperationKind::Read: return "read";
        case OperationKind::Acquire: return "acquire";
        case OperationKind::Campaign: return "campaign";
        case OperationKind::Claim: return "claim";
        case OperationKind::Renew: return "renew";
        case OperationKind::Release: return "release";
        case OperationKind::Break: return "break";
        case OperationKind::Proclaim: return "proclaim";
        case OperationKind::Resign: return "resign";
        case OperationKind::Done: return "done";
        case OperationKind::Failed: return "failed";
        case OperationKind::Create: return "create";
        case OperationKind::Capture: return "capture";
        case OperationKind::Refund: return "refund";
        case OperationKind::Cancel: return "cancel";
        case OperationKind::Acknowledge: return "acknowledge";
        case OperationKind::Forget: return "forget";
    }
    return "read";
}

bool takes_lock(OperationKind kind) noexcept {
    return kind == OperationKind::Acquire || kind == OperationKind::Campaign ||
           kind == OperationKind::Claim;
}

bool moves_money(OperationKind kind) noexcept {
    return kind == OperationKind::Create || kind == OperationKind::Capture ||
           kind == OperationKind::Refund || kind == OperationKind::Cancel;
}

bool is_fenced(OperationKind kind) noexcept {
    switch (kind) {
        case OperationKind::Proclaim:
        case OperationKind::Resign:
        case OperationKind::Done:
        case OperationKind::Failed:
        case OperationKind::Create:
        case OperationKind::Capture:
        case OperationKind::Refund:
        case OperationKind::Cancel: return true;
        case OperationKind::Read:
        case OperationKind::Acquire:
        case OperationKind::Campaign:
        case OperationKind::Claim:
        case OperationKind::Renew:
        case OperationKind::Release:
        case OperationKind::Break:
        case OperationKind::Acknowledge:
        case OperationKind::Forget: return false;
    }
    return false;
}

const Idempotency* idempotency_of(const Operation& operation) {
    return std::visit(
        [](const auto& one) -> const Idempotency* {
            if constexpr (requires { one.idempotency.has_value(); }) {
                return one.idempotency ? &*one.idempotency : nullptr;
            } else if constexpr (requires { one.idempotency; }) {
                return &one.idempotency;
            } else {
                return nullptr;
            }
        },
        operation);
}

void attach(Operation& operation, Idempotency idempotency) {
    std::visit(
        [&](auto& one) {
            if constexpr (requires { one.idempotency; }) one.idempotency = std::move(idempotency);
        },
        operation);
}

std::optional<lockmgr::FencingToken> presented_token(const Operation& operation) {
    return std::visit(
        [](const auto& one) -> std::optional<lockmgr::FencingToken> {
            if constexpr (requires { one.token.error(); }) {
                if (one.token) return *one.token;
            }
            return std::nullopt;
        },
        operation);
}

}  // namespace fencegate::storage
