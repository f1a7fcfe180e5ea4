#pragma once
// Payment, its transfers and the ledger accounts they touch.
// Money is int64 minor units of one ISO 4217 currency; money.hpp has the table.
// Thread rule: plain values.
// Invariant: 0 <= refunded <= captured <= authorized <= kAmountMinorMax. The rules keep it, and the
// CHECK constraints of the schema keep it again.

#include "base/clock.hpp"
#include "base/uuid.hpp"
#include "lockmgr/fencing_token.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage {

// Written to disk: never renumber.
enum class PaymentState : std::uint8_t {
    Authorized = 0,  // funds held, nothing captured
    Captured = 1,    // some or all captured, what was left is released
    Cancelled = 2,   // the hold was released
    Expired = 3,     // the hold was released because nobody captured it in time
};

struct Payment {
    std::string id;
    std::string currency;
    PaymentState state = PaymentState::Authorized;
    std::int64_t authorized_minor = 0;
    std::int64_t captured_minor = 0;
    std::int64_t refunded_minor = 0;
    std::string reference;
    std::string metadata_json;  // an object, or empty
    WallTime created_at{};
    // Newest of its journal entries; 0: none yet. Every change of the payment books one, so this is
    // also its version: the ETag.
    std::int64_t last_transfer = 0;
    std::int64_t authorized_hour = 0;  // in hours that the store has run; see sweeper.hpp
};

// What clients read: the state, told finer by how much was captured and refunded.
inline constexpr std::array<std::string_view, 7> kStatusNames{
    "authorized", "captured", "partially_captured", "partially_refunded", "refunded",
    "cancelled",  "expired"};
[[nodiscard]] std::string_view status_name(const Payment& payment) noexcept;

[[nodiscard]] std::int64_t capturable_minor(const Payment& payment) noexcept;
[[nodiscard]] std::int64_t refundable_minor(const Payment& payment) noexcept;

// Ledger accounts, one of each per currency. A transfer debits one and credits another, so the sum
// over all accounts of a currency is zero at all times. Written to disk: never renumber.
enum class Account : std::uint8_t {
    CustomerFunds = 0,  // the outside: where money comes from and held money goes back to
    FundsHeld = 1,      // authorized, not captured
    FundsCaptured = 2,  // captured, not refunded
    FundsRefunded = 3,  // given back
};
inline constexpr std::size_t kAccounts = 4;

// "customer_funds" and so on: how accounts are spelt on the wire.
[[nodiscard]] std::string_view account_name(Account account) noexcept;
[[nodiscard]] std::optional<Account> find_account(std::string_view name) noexcept;

// Written to disk: never renumber.
enum class TransferKind : std::uint8_t { Authorize = 0, Capture = 1, Release = 2, Refund = 3 };

[[nodiscard]] std::string_view kind_name(TransferKind kind) noexcept;

struct TransferAccounts {
    Account debit;
    Account credit;
};

[[nodiscard]] TransferAccounts accounts_of(TransferKind kind) noexcept;

// What a rule decided and the ledger has yet to book; then it is a JournalEntry.
struct Transfer {
    TransferKind kind;
    std::int64_t amount_minor;
};

// A refund as clients see it: a transfer of kind Refund.
struct Refund {
    std::int64_t transfer_id = 0;  // position in the journal; the paging cursor
    Uuid id;
    std::int64_t amount_minor = 0;
    std::string reason;
    // The fence it was written under. Every refund has one, unless its row is damaged.
    std::optional<lockmgr::FencingToken> token;
    WallTime created_at{};
};

}  // namespace fencegate::storage
