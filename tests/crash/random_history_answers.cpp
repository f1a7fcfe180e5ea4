// What the answers of a random history say, held against each other.
#include "tests/crash/random_history.hpp"
#include "tests/support/tokens.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::testing {
namespace {

using storage::AcquireLock;
using storage::Answer;
using storage::CreatePayment;
using storage::MovePayment;
using storage::Operation;

constexpr std::size_t kPaymentsMax = 6;  // open to further work at a time
constexpr std::size_t kGrantsMax = 12;
constexpr std::size_t kAskedMax = 40;

std::string lock_of(const std::string& payment) { return "payments/" + payment; }

const storage::Idempotency* key_of(const Operation& operation) {
    if (const auto* create = std::get_if<CreatePayment>(&operation)) return &create->idempotency;
    if (const auto* move = std::get_if<MovePayment>(&operation)) return &move->idempotency;
    const auto* acquire = std::get_if<AcquireLock>(&operation);
    return acquire != nullptr && acquire->idempotency ? &*acquire->idempotency : nullptr;
}

bool is(const Answer& answer, ErrorCode code) { return answer.error && answer.error->code == code; }

bool is_unknown(const Answer& answer) {
    return is(answer, ErrorCode::OutcomeUnknown) || is(answer, ErrorCode::StoreFailed) ||
           is(answer, ErrorCode::StoreFull);
}

// A grant whose lease has ended is told as that; see replay.hpp.
bool is_gone(const Answer& answer) {
    constexpr ErrorCode kGone[] = {ErrorCode::GoneExpired, ErrorCode::GoneStale,
                                   ErrorCode::GoneReleased, ErrorCode::GoneBroken,
                                   ErrorCode::LeaseNotFound};
    return answer.error && std::ranges::find(kGone, answer.error->code) != std::end(kGone);
}

// Refusals by the rules of payments are final under a key, and no others.
bool is_final(const Answer& answer) {
    if (!answer.error) return true;
    constexpr ErrorCode kFinal[] = {
        ErrorCode::PaymentNotFound,       ErrorCode::PaymentExists,
        ErrorCode::PaymentNotCapturable,  ErrorCode::PaymentNotRefundable,
        ErrorCode::PaymentNotCancellable, ErrorCode::CaptureExceedsAuthorized,
        ErrorCode::RefundExceedsCaptured, ErrorCode::ReferenceExists};
    return std::ranges::find(kFinal, answer.error->code) != std::end(kFinal);
}

}  // namespace

void RandomHistory::take(const Operation& operation, const std::string& principal,
                         const Answer& answer) {
    ++tally_[answer.error         ? std::string(code_name(answer.error->code))
             : answer.is_replayed ? "replayed"
                                  : "ok"];
    if (is(answer, ErrorCode::Internal)) say("an internal error: " + answer.error->detail);
    if (key_of(operation) != nullptr) take_under_key(operation, principal, answer);
    if (answer.error || answer.is_replayed) return;
    if (const auto* acquire = std::get_if<AcquireLock>(&operation))
        note_grant(*acquire, principal, answer);
    if (const auto* move = std::get_if<MovePayment>(&operation)) look_at_fence(*move);
    if (const auto* create = std::get_if<CreatePayment>(&operation))
        payments_.push_back(create->id);
    if (payments_.size() > kPaymentsMax) payments_.erase(payments_.begin());
    note_end(operation);
}

void RandomHistory::take_under_key(const Operation& operation, const std::string& principal,
                                   const Answer& answer) {
    const auto& key = *key_of(operation);
    auto found = std::ranges::find(asked_, key.key, [](const auto& of) { return of.first; });
    if (found == asked_.end()) {
        asked_.emplace_back(key.key, Asked{.operation = operation, .principal = principal});
        if (asked_.size() > kAskedMax) asked_.pop_front();
        found = std::prev(asked_.end());
    }
    auto& asked = found->second;
    const bool is_same = key.fingerprint == key_of(asked.operation)->fingerprint;
    if (is_unknown(answer)) return;
    if (is_same && asked.is_answered) return look_for_another_answer(asked, answer);
    if (is_same) return take_first(asked, answer);
    if (is(answer, ErrorCode::IdempotencyMismatch)) return;
    if (asked.is_answered) return say("another body under the key " + key.key + " was accepted");
    asked.operation = operation;
    take_first(asked, answer);
}

void RandomHistory::take_first(Asked& asked, const Answer& answer) {
    if (!is_final(answer)) return;
    asked.is_answered = true;
    if (answer.error) asked.refusal = answer.error->code;
    asked.body = answer.body;
    asked.resource_id = answer.resource_id;
}

void RandomHistory::look_for_another_answer(const Asked& asked, const Answer& answer) {
    const bool is_grant = std::holds_alternative<AcquireLock>(asked.operation);
    if (is_grant && !asked.refusal && is_gone(answer)) return;
    const bool is_told = asked.refusal ? is(answer, *asked.refusal) : !answer.error;
    const bool is_same = answer.is_replayed && is_told && answer.resource_id == asked.resource_id &&
                         (is_grant || answer.body == asked.body);
    if (!is_same) say("the key " + key_of(asked.operation)->key + " got another answer");
}

// As far as answers tell: what was answered with "unknown" may have granted more.
void RandomHistory::look_at_fence(const MovePayment& move) {
    const auto token = testing::number_of(move.token);
    if (sealed_.contains(token) || newest_[lock_of(move.payment_id)] != token)
        say("a write to " + move.payment_id + " passed under the dead token " +
            std::to_string(token));
}

void RandomHistory::note_grant(const AcquireLock& acquire, const std::string& principal,
                               const Answer& answer) {
    const auto token = testing::number_of(answer.fencing_token);
    for (const auto& lock : acquire.locks) {
        auto& newest = newest_[std::string(lock.value())];
        if (token <= newest) say("a token did not rise");
        newest = token;
    }
    grants_.push_back(
        {.lease_id = answer.resource_id,
         .token = token,
         .principal = principal,
         .payment = std::string(acquire.locks.front().value()).substr(lock_of("").size())});
    if (grants_.size() > kGrantsMax) grants_.pop_front();
}

void RandomHistory::note_end(const Operation& operation) {
    if (const auto* release = std::get_if<storage::ReleaseLease>(&operation)) {
        const auto id = to_string(release->lease_id);
        const auto found = std::ranges::find(grants_, id, &Grant::lease_id);
        if (found != grants_.end()) sealed_.insert(found->token);
    }
    if (const auto* broken = std::get_if<storage::BreakLock>(&operation))
        sealed_.insert(broken->seen_token.value());
}

}  // namespace fencegate::testing
