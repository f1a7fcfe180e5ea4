#pragma once
// HoldExpiry: releases what was authorized and never captured, once the store has run for as many
// hours as Retention::holds says. Counted as the sweeper counts: a wall clock that jumps must not
// release anybody's money.
// A payment whose lock is held is left for a later hour: nothing changes under a holder's feet.
// Each is one movement of the gateway itself, without a token.
// Thread rule: belongs to the store thread. Call only within a transaction.

#include "storage/unit/unit.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fencegate::storage {

class HoldExpiry {
public:
    explicit HoldExpiry(std::chrono::hours kept) : kept_(kept) {}

    // Whether some hold may be due: a new hour has begun, or the last look did not see all.
    [[nodiscard]] bool is_due(std::int64_t hour) const noexcept { return hour > looked_up_to_; }

    // The next of the payments that are old enough, up to `budget`; each comes once an hour, so
    // that one which cannot be expired keeps nobody else's money.
    [[nodiscard]] std::vector<std::string> next(Unit& unit, std::int64_t hour, int budget);
    // Nothing happens if the payment's lock is held or it was captured or cancelled meanwhile.
    void expire(Unit& unit, const std::string& payment_id);
    // Until the hour ends: no rule of ours explains why it cannot be expired.
    void leave_out(std::string payment_id);
    // Looks at everything again: after a rollback, which took back what was expired.
    void begin_round();

private:
    std::chrono::hours kept_;
    std::int64_t looked_up_to_ = -1;  // the hour whose round is over
    Hold after_{};
    std::vector<std::string> left_out_{};
    std::int64_t hour_ = -1;  // that they are left out of
};

}  // namespace fencegate::storage
