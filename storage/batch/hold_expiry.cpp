#include "storage/batch/hold_expiry.hpp"

#include "lockmgr/guards.hpp"
#include "storage/money/payment_rules.hpp"

#include <utility>

namespace fencegate::storage {

void HoldExpiry::begin_round() {
    looked_up_to_ = -1;
    after_ = {};
}

std::vector<std::string> HoldExpiry::next(std::int64_t hour, int budget) {
    auto holds = tables_.payments.holds_before(hour - kept_.count(), after_, budget);
    if (holds.size() < static_cast<std::size_t>(budget)) {
        looked_up_to_ = hour;
        after_ = {};
    } else {
        after_ = holds.back();
    }
    std::vector<std::string> payments;
    payments.reserve(holds.size());
    for (auto& hold : holds) payments.push_back(std::move(hold.payment_id));
    return payments;
}

void HoldExpiry::expire(Batch& batch, const std::string& payment_id) {
    if (tables_.live.holdings().find(lockmgr::payment_lock(payment_id)) != nullptr) return;
    const auto payment = tables_.payments.find(payment_id);
    if (!payment) return;
    auto change = decide_expire(*payment);
    if (!change) return;
    tables_.ledger.post(change->after, change->transfers,
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

}  // namespace fencegate::storage
