#include "storage/batch/hold_expiry.hpp"

#include "lockmgr/guards.hpp"
#include "storage/money/payment_rules.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::storage {

void HoldExpiry::begin_round() {
    looked_up_to_ = -1;
    after_ = {};
}

void HoldExpiry::leave_out(std::string payment_id) { left_out_.push_back(std::move(payment_id)); }

std::vector<std::string> HoldExpiry::next(Unit& unit, std::int64_t hour, int budget) {
    if (std::exchange(hour_, hour) != hour) left_out_.clear();
    auto holds = unit.flushed().payments.holds_before(hour - kept_.count(), after_, budget);
    if (holds.size() < static_cast<std::size_t>(budget)) {
        looked_up_to_ = hour;
        after_ = {};
    } else {
        after_ = holds.back();
    }
    std::vector<std::string> payments;
    payments.reserve(holds.size());
    for (auto& hold : holds) {
        if (std::ranges::find(left_out_, hold.payment_id) == left_out_.end())
            payments.push_back(std::move(hold.payment_id));
    }
    return payments;
}

void HoldExpiry::expire(Unit& unit, const std::string& payment_id) {
    if (unit.live.holdings().find(lockmgr::payment_lock(payment_id)) != nullptr) return;
    const auto* payment = unit.payments.find(payment_id);
    if (payment == nullptr) return;
    auto change = decide_expire(*payment);
    if (!change) return;
    unit.ledger.book(change->after, change->transfers,
                     {.token = std::nullopt,
                      .principal = {},
                      .owner = {},
                      .key = {},
                      .reason = "nobody captured it in time",
                      .now = unit.wall},
                     unit.random);
    unit.payments.update(change->after);
    unit.events.emplace_back(PaymentEvent{PaymentEvent::Operation::Expire, true});
}

}  // namespace fencegate::storage
