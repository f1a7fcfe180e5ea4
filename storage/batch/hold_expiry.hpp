#pragma once
// HoldExpiry: releases what was authorized and never captured, once the store has run for as many
// hours as Retention::holds says. Counted as the sweeper counts: a wall clock that jumps must not
// release anybody's money.
// A payment whose lock is held is left for a later hour: nothing changes under a holder's feet.
// Each is one movement of the gateway itself, without a token.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/unit/batch.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace fencegate::storage {

class HoldExpiry {
public:
    HoldExpiry(Tables& tables, std::chrono::hours kept, Random& random)
        : tables_(tables), kept_(kept), random_(random) {}

    // Whether some hold may be due: a new hour has begun, or the last look did not see all.
    [[nodiscard]] bool is_due(std::int64_t hour) const noexcept { return hour > looked_up_to_; }

    // The next of the payments that are old enough, up to `budget`; each comes once an hour, so
    // that one which cannot be expired keeps nobody else's money.
    [[nodiscard]] std::vector<std::string> next(std::int64_t hour, int budget);
    // Nothing happens if the payment's lock is held or it was captured or cancelled meanwhile.
    void expire(Batch& batch, const std::string& payment_id);
    // Looks at everything again: after a rollback, which took back what was expired.
    void begin_round();

private:
    Tables& tables_;
    std::chrono::hours kept_;
    Random& random_;
    std::int64_t looked_up_to_ = -1;  // the hour whose round is over
    Hold after_{};
};

}  // namespace fencegate::storage
