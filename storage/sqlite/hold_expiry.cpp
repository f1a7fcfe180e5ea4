#include "storage/sqlite/hold_expiry.hpp"

#include "storage/payment_rules.hpp"

namespace fencegate::storage::sqlite {

void HoldExpiry::begin_round() {
    looked_up_to_ = -1;
    after_ = {};
}

void HoldExpiry::end_round(std::int64_t hour) {
    looked_up_to_ = hour;
    after_ = {};
}

void HoldExpiry::expire(Batch& batch, std::int64_t hour, int budget) {
    const auto holds = tables_.payments.holds_before(hour - kept_.count(), after_, budget);
    for (const auto& hold : holds) expire_one(batch, hold.payment_id);
    if (holds.size() < static_cast<std::size_t>(budget)) {
        end_round(hour);
    } else {
        after_ = holds.back();
    }
}

void HoldExpiry::expire_one(Batch& batch, const std::string& payment_id) {
    const auto lock = lockmgr::LockName::parse("payments/" + payment_id);
    if (lock && tables_.live.holdings().find(*lock) != nullptr) return;
    const auto payment = tables_.payments.find(payment_id);
    if (!payment) return;
    auto change = decide_expire(*payment);
    if (!change) return;
    tables_.journal.post(change->after, change->transfers,
                         {.token = std::nullopt,
                          .principal = {},
                          .owner = {},
                          .key = {},
                          .reason = "nobody captured it in time",
                          .now = batch.wall},
                         random_);
    tables_.payments.update(change->after);
    batch.events.emplace_back(PaymentEvent{PaymentEvent::Operation::Expire, true});
}

}  // namespace fencegate::storage::sqlite
