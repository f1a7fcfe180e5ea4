// What the store does when a batch cannot commit and the store can still be trusted: its commands
// run again, each in a batch of its own and each step of it written on its own, so that whoever is
// at fault is known and left out, and the others go on.
//
// On a full disk, commands that write nothing still have an answer. With a damaged page, or where a
// constraint holds although the rules did not, the command that needs it is refused; a waiter that
// would be granted is answered, a lease that would expire stays for a while, a payment stays held
// for an hour, the upkeep pauses. Each of them is told and counted once.
#include "storage/batch/batcher.hpp"
#include "storage/commands/lines.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::storage {
namespace {

// How many are left out for one command: a page holds the rows of a few dozen leases.
constexpr std::size_t kLeftOutMax = 256;

template <class... Visitors>
struct Overloaded : Visitors... {
    using Visitors::operator()...;
};

Answer internal_refusal(const Failure& failure) {
    return refusal({ErrorCode::Internal,
                    "A constraint of the store refused the write: " + failure.message,
                    {},
                    -1});
}

Answer full_refusal() {
    return refusal({ErrorCode::StoreFull,
                    "The disk of the store is full, and this was not done. Repeat the call with "
                    "the same Idempotency-Key when there is room: should the gateway crash right "
                    "now, a part of the log may still come back, and only the key tells.",
                    {},
                    5'000});
}

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

}  // namespace

void Batcher::run_one_by_one(Attempt because, std::span<const Request> requests,
                             std::span<const Ticket> cancelled, std::vector<Routed>& out) {
    is_one_by_one_ = true;
    tells_holder_ = because != Attempt::Damaged;
    if (because == Attempt::Full) brace_for_full_disk();
    const auto alone = attempt_without_culprits({}, cancelled, {}, out);
    if (alone == Attempt::Damaged || alone == Attempt::Refused) {
        // What cannot be left out waits; without what falls due, those who leave can.
        note_failure();
        retry_at_ = clock_.boot_now() + kRetryLeftOut;
        static_cast<void>(attempt_without_culprits({}, cancelled, {}, out));
    }
    while (!requests.empty() && !fatal_) {
        const auto one = requests.first(1);
        const auto result = attempt_without_culprits(one, cancelled, one[0].arrived, out);
        if (result == Attempt::Failed) break;
        if (result != Attempt::Committed) {
            if (result != Attempt::Full) note_failure();
            out.push_back({one[0].home, {one[0].ticket, refusal_of(result)}});
        }
        requests = requests.subspan(1);
    }
    is_one_by_one_ = false;
    tells_holder_ = true;
    keeps_record_ = true;
    if (fatal_) fail_all(requests, {}, out);  // all were part of the batch that did not commit
}

Batcher::Attempt Batcher::attempt_without_culprits(std::span<const Request> requests,
                                                   std::span<const Ticket> cancelled,
                                                   std::optional<BootTime> taken,
                                                   std::vector<Routed>& out) {
    for (std::size_t left_out = 0;; ++left_out) {
        const auto result = attempt(requests, cancelled, taken, out);
        if (result == Attempt::Full && keeps_record_) {
            brace_for_full_disk();
        } else if (result == Attempt::Lost) {
            continue;
        } else if ((result != Attempt::Damaged && result != Attempt::Refused) ||
                   left_out == kLeftOutMax || !leave_out_culprit()) {
            return result;
        }
    }
}

// Nothing falls due and no refusal is put on record: what is left has room.
void Batcher::brace_for_full_disk() {
    retry_at_ = clock_.boot_now() + kRetryAfterFull;
    keeps_record_ = false;
}

void Batcher::end_step(Unit& unit, Culprit culprit) {
    if (!is_one_by_one_ || culprit_) return;
    unit.settle();
    if (unit.has_failed()) culprit_ = std::move(culprit);
}

bool Batcher::leave_out_culprit() {
    if (!culprit_) return false;
    const auto now = clock_.boot_now();
    const bool is_left_out = std::visit(
        Overloaded{
            [](TheCommand) { return false; },
            [&](const Waiting& waiter) {
                // One that came with the failed attempt is the command at hand.
                if (standing_.room.find(waiter.ticket) == nullptr) return false;
                const auto is_damaged = why_->kind == Failure::Kind::Damaged;
                doomed_.push_back(
                    {waiter.ticket, refusal_of(is_damaged ? Attempt::Damaged : Attempt::Refused)});
                return true;
            },
            [&](const Expiring& lease) {
                standing_.live.arm(lease.token, now + kRetryLeftOut);
                standing_.live.commit();
                return true;
            },
            [&](const HeldPayment& payment) {
                holds_.leave_out(payment.id);
                return true;
            },
            [&](Upkeep) {
                upkeep_at_ = now + kRetryUpkeep;
                sweeper_.stay_awake(now);
                return true;
            },
        },
        *culprit_);
    if (is_left_out) note_failure();
    return is_left_out;
}

void Batcher::give_up_doomed(Unit& unit) {
    for (const auto& [ticket, answer] : doomed_) turn_away(unit, ticket, answer);
    std::erase_if(doomed_, [this](const Doomed& doomed) {
        return standing_.room.find(doomed.ticket) == nullptr;
    });
}

Answer Batcher::refusal_of(Attempt failed) const {
    if (failed == Attempt::Full) return full_refusal();
    return failed == Attempt::Damaged ? damaged_refusal(why_->message) : internal_refusal(*why_);
}

void Batcher::note_failure() {
    if (why_->kind == Failure::Kind::Damaged) {
        note_damage(why_->message);
    } else {
        observer_.on_error(StoreError::Constraint);
    }
}

void Batcher::note_damage(const std::string& what) {
    observer_.on_error(StoreError::Damaged);
    observer_.on_damage(what);
}

}  // namespace fencegate::storage
