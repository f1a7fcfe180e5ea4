#pragma once
// StoredAnswer: what an idempotency key was answered, as it is kept.
// Thread rule: a plain value.
// Source: Stripe's idempotent requests; draft-ietf-httpapi-idempotency-key-header-07.

#include "storage/model/command.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fencegate::storage {

// Written to disk: never renumber.
enum class AnswerKind : std::uint8_t {
    Money = 0,  // a movement of money, or one that its rules refused
    Lease = 1,  // a grant or a renewal: `token` is all that is kept, the lease tells the rest
    Other = 2,  // told again as it was; the body may be empty
};

struct StoredAnswer {
    std::array<std::uint8_t, 32> fingerprint{};
    std::int64_t fingerprint_version = kFingerprintVersion;
    AnswerKind kind = AnswerKind::Money;
    std::string operation;  // its name; empty: from before version 4
    WallTime created_at{};
    // Another principal's or another key's, found by a collision that somebody made: it matches
    // nothing, and nothing of it is told.
    bool is_foreign = false;
    std::optional<lockmgr::FencingToken> token;
    std::optional<ErrorCode> error;
    std::string body;  // the resource, or the refusal's detail
    std::string resource_id;
    std::string request_id;
    std::int64_t version = 0;  // of the payment; 0: none
    bool is_released = false;  // the write ended the lease it was made under

    // Whether it answers the request that `idempotency` was made of.
    [[nodiscard]] bool is_of(const Idempotency& idempotency) const;
};

// Only refusals of payment rules are ever stored. nullopt: a name that this version never writes.
[[nodiscard]] std::optional<ErrorCode> stored_refusal(std::string_view name);

}  // namespace fencegate::storage
