// What the store does about a damaged page: whoever needs it is left out, the others go on.
//
// The attempt that met it was rolled back as a whole, so it is made again without the one at fault:
// a waiter that would be granted is answered, a lease that would expire stays for a while, the
// upkeep pauses. If it was the command itself, that is answered StoreDamaged. Each of them is told
// and counted once.
#include "storage/batch/batcher.hpp"

namespace fencegate::storage {
namespace {

// How many are left out for one command: a page holds the rows of a few dozen leases.
constexpr std::size_t kLeftOutMax = 256;

template <class... Visitors>
struct Overloaded : Visitors... {
    using Visitors::operator()...;
};

}  // namespace

Answer damaged_refusal(const std::string& what) {
    return refusal({ErrorCode::StoreDamaged,
                    "The store is damaged where this call needs it: " + what +
                        ". Nothing was changed, and what needs other pages goes on. An operator "
                        "must act: fencegate verify says what is damaged, a backup or fencegate "
                        "restore brings back what can be had. Repeat the call with the same "
                        "Idempotency-Key then.",
                    {},
                    -1});
}

void Batcher::blame(Culprit culprit) {
    const auto& failure = store_->failure();
    const bool is_damaged = failure && failure->kind == Failure::Kind::Damaged;
    if (is_damaged && std::holds_alternative<std::monostate>(culprit_)) culprit_ = culprit;
}

Batcher::Attempt Batcher::attempt_past_damage(std::span<const Request> requests,
                                              std::span<const Ticket> cancelled,
                                              std::optional<BootTime> taken,
                                              std::vector<Routed>& out) {
    auto result = attempt(requests, cancelled, taken, out);
    for (std::size_t left_out = 0;
         result == Attempt::Damaged && left_out < kLeftOutMax && leave_out_culprit(); ++left_out)
        result = attempt(requests, cancelled, taken, out);
    return result;
}

bool Batcher::leave_out_culprit() {
    const auto now = clock_.boot_now();
    const bool is_left_out =
        std::visit(Overloaded{
                       [](std::monostate) { return false; },
                       [&](const Waiting& waiter) {
                           // One that came with the failed attempt is the command at hand.
                           if (tables_.room.find(waiter.ticket) == nullptr) return false;
                           doomed_.push_back(waiter.ticket);
                           return true;
                       },
                       [&](const Expiring& lease) {
                           tables_.live.arm(lease.token, now + kRetryAfterDamage);
                           tables_.live.commit();
                           return true;
                       },
                       [&](Upkeep) {
                           upkeep_at_ = now + kUpkeepAfterDamage;
                           sweeper_.stay_awake(now);
                           return true;
                       },
                   },
                   culprit_);
    if (is_left_out) note_damage(damage_);
    return is_left_out;
}

void Batcher::give_up_doomed(Batch& batch) {
    for (const auto ticket : doomed_) {
        const auto answered = batch.outcomes.size();
        commands_.locks.give_up(batch, ticket, ErrorCode::StoreDamaged);
        if (batch.outcomes.size() > answered)
            batch.outcomes.back().answer = damaged_refusal(damage_);
    }
    std::erase_if(doomed_, [this](Ticket ticket) { return tables_.room.find(ticket) == nullptr; });
}

void Batcher::note_damage(const std::string& what) {
    observer_.on_error(StoreError::Damaged);
    observer_.on_damage(what);
}

}  // namespace fencegate::storage
