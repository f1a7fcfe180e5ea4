#pragma once
// JournalEntry: one transfer, once it is booked, and the seal that ties it to all before it.
// A seal is SHA-256 over the entry and the seal before it, so an entry that was changed, taken out
// or slipped in does not fit its neighbours. It does not stop somebody who can rewrite every later
// seal as well: against that, keep the newest seal elsewhere (`fencegate verify` prints it).
// Thread rule: plain values and pure functions.
// Source: hash chains as in Haber and Stornetta, "How to Time-Stamp a Digital Document", 1991.

#include "base/clock.hpp"
#include "base/digest.hpp"
#include "base/uuid.hpp"
#include "lockmgr/fencing_token.hpp"
#include "storage/money/payment.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace fencegate::storage {

struct JournalEntry {
    std::int64_t id = 0;  // its place in the journal, rising by one
    std::string payment_id;
    TransferKind kind = TransferKind::Authorize;
    Account debit = Account::CustomerFunds;
    Account credit = Account::CustomerFunds;
    std::int64_t amount_minor = 0;
    std::string currency;
    Uuid public_id{};
    std::optional<lockmgr::FencingToken> token;  // the fence it was written under
    std::string principal;                       // empty: the gateway itself, when a hold expires
    std::string owner;                           // label of the lease
    std::string key;                             // Idempotency-Key
    std::string reason;
    WallTime booked_at{};       // for people; order is by id
    std::int64_t previous = 0;  // entry of the same payment before this; 0: none
    std::int64_t movement = 0;  // first entry of its movement
    Sha256 seal{};
};

// The seal of `entry` behind `before`; all zero before the first. Reads everything but entry.seal.
// Stored: changing it breaks every journal.
[[nodiscard]] Sha256 seal_of(const JournalEntry& entry, const Sha256& before);

// What an entry that begins its movement tells, e.g. "payment.refunded". REQUIRES: it begins one.
[[nodiscard]] std::string_view event_type(const JournalEntry& entry) noexcept;

}  // namespace fencegate::storage
