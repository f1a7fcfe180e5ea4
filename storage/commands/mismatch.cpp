#include "storage/commands/mismatch.hpp"

#include "storage/model/operation.hpp"

#include <algorithm>

namespace fencegate::storage {
namespace {

using lockmgr::Lease;

constexpr std::string_view kNothing = " Nothing was done now.";

// What a resource's id stands behind, of each operation that leaves one.
std::string_view path_of(OperationKind kind) {
    switch (kind) {
        case OperationKind::Read: return "";
        case OperationKind::Acquire:
        case OperationKind::Campaign:
        case OperationKind::Claim:
        case OperationKind::Renew:
        case OperationKind::Release:
        case OperationKind::Break:
        case OperationKind::Resign: return "/v1/leases/";
        case OperationKind::Proclaim: return "/v1/elections/";
        case OperationKind::Done:
        case OperationKind::Failed: return "/v1/runs/";
        case OperationKind::Create:
        case OperationKind::Capture:
        case OperationKind::Refund:
        case OperationKind::Cancel: return "/v1/payments/";
        case OperationKind::Acknowledge:
        case OperationKind::Forget: return "/v1/events/consumers/";
    }
    return "";
}

// Answers of before version 4 do not say what they answered; only money and grants were kept then.
OperationKind kind_of(const StoredAnswer& stored) {
    const auto* found = std::ranges::find(kOperationKinds, stored.operation, operation_name);
    if (found != kOperationKinds.end()) return *found;
    return stored.kind == AnswerKind::Lease ? OperationKind::Acquire : OperationKind::Create;
}

std::string resource_of(const StoredAnswer& stored, const Lease* lease) {
    auto id = stored.resource_id;
    if (stored.kind == AnswerKind::Lease && lease != nullptr) id = to_string(lease->id);
    return id.empty() ? id : std::string(path_of(kind_of(stored))) + id;
}

std::string detail_of(const StoredAnswer& stored, const Lease* lease, const Command& command) {
    const auto* acquire = std::get_if<AcquireLock>(&command.operation);
    const bool is_lease = stored.kind == AnswerKind::Lease;
    std::string detail;
    if (acquire != nullptr && is_lease && lease != nullptr && lease->owner != acquire->owner) {
        detail = "This Idempotency-Key acquired for the owner \"" + lease->owner +
                 "\", and an acquire key belongs to its owner.";
    } else if (stored.fingerprint_version == kRawFingerprintVersion) {
        detail =
            "This Idempotency-Key was used before. An older version of the gateway kept that call "
            "byte for byte, and this one is spelt in another way, so whether it asks for the same "
            "cannot be told. Look at what the first call did before you ask for more.";
    } else {
        detail = "This Idempotency-Key was used before for a call that asked for something else.";
    }
    return detail.append(kNothing);
}

// Where the table of remedies does not know enough: it goes by what is asked now, and repeating the
// first call is wrong advice for whoever did not make it. Empty: the table's.
std::string_view remedy_of(const StoredAnswer& stored, const Lease* lease, const Command& command,
                           bool has_resource) {
    if (stored.kind == AnswerKind::Lease) {
        const auto* acquire = std::get_if<AcquireLock>(&command.operation);
        if (acquire != nullptr && lease != nullptr && acquire->owner == lease->owner) return {};
        return acquire != nullptr && lease != nullptr ? kRemedyOfAnotherOwner
                                                      : kRemedyOfAnotherCaller;
    }
    return has_resource ? std::string_view() : kRemedyOfNoResource;
}

}  // namespace

Error mismatch(const StoredAnswer& stored, const Lease* lease, const Command& command) {
    if (stored.is_foreign)
        return {ErrorCode::IdempotencyMismatch,
                "This Idempotency-Key cannot be told from that of another call." +
                    std::string(kNothing),
                {{"remedy", std::string(kRemedyOfAnotherCaller)}},
                -1};
    Error error{ErrorCode::IdempotencyMismatch, detail_of(stored, lease, command), {}, -1};
    if (!stored.operation.empty())
        error.members.push_back({"original_operation", stored.operation});
    auto resource = resource_of(stored, lease);
    const auto remedy = remedy_of(stored, lease, command, !resource.empty());
    if (!resource.empty()) error.members.push_back({"original_resource", std::move(resource)});
    error.members.push_back({"original_at", std::string(rfc3339(stored.created_at).text)});
    if (stored.error)
        error.members.push_back({"original_code", std::string(code_name(*stored.error))});
    if (!remedy.empty()) error.members.push_back({"remedy", std::string(remedy)});
    return error;
}

}  // namespace fencegate::storage
