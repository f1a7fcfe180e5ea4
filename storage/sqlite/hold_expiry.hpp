#pragma once
// HoldExpiry: releases what was authorized and never captured, once the store has run for as many
// hours as Retention::holds says. Counted as the sweeper counts: a wall clock that jumps must not
// release anybody's money.
// A payment whose lock is held is left for a later hour: nothing changes under a holder's feet.
// Each is one movement of the gateway itself, without a token.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/sqlite/batch.hpp"

#include <chrono>
#include <optional>

namespace fencegate::storage::sqlite {

class HoldExpiry {
public:
    HoldExpiry(Tables& tables, std::chrono::hours kept, Random& random)
        : tables_(tables), kept_(kept), random_(random) {}

    // Whether some hold may be due: a new hour has begun, or the last look did not see all.
    [[nodiscard]] bool is_due(std::int64_t hour) const noexcept { return hour > looked_up_to_; }

    // Looks at up to `budget` holds that are old enough, and expires those that nobody holds.
    void expire(Batch& batch, std::int64_t hour, int budget);
    // Looks at everything again: after a rollback, which took back what was expired.
    void begin_round();
    // Nothing more in this hour.
    void end_round(std::int64_t hour);

private:
    void expire_one(Batch& batch, const std::string& payment_id);

    Tables& tables_;
    std::chrono::hours kept_;
    Random& random_;
    std::int64_t looked_up_to_ = -1;  // the hour whose round is over
    PaymentRows::Hold after_{};
};

}  // namespace fencegate::storage::sqlite
