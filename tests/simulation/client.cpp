#include "tests/simulation/client.hpp"

#include "storage/model/operation.hpp"
#include "tests/simulation/judge.hpp"
#include "tests/simulation/oracle.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/support/tokens.hpp"

#include <algorithm>

namespace fencegate::simulation {
namespace {

constexpr std::size_t kRemembered = 4;
constexpr Duration kWaitMax{3'000};  // that a client asks for

void present_instead(storage::Operation& operation, std::int64_t token) {
    std::visit(
        [&](auto& one) {
            if constexpr (requires { one.token.error(); }) {
                if (one.token) one.token = testing::presented(token);
            }
        },
        operation);
}

// The answer does not say what became of the request, or says that asking again may help.
bool is_open(const Answer& answer) {
    if (!answer.error) return false;
    const auto code = answer.error->code;
    return code == ErrorCode::OutcomeUnknown || code == ErrorCode::StoreFailed ||
           code == ErrorCode::StoreFull || code == ErrorCode::Draining ||
           code == ErrorCode::IdempotencyInFlight || code == ErrorCode::RequestTimeout;
}

}  // namespace

Client::Client(std::size_t index, const Options& options, const Settings& settings)
    : options_(options),
      settings_(settings),
      index_(index),
      principal_(text_of("p", index % settings.principals)),
      owner_(text_of("w", index)),
      random_(options.seed ^ (0xc11e27 + 0x10001 * (index + 1))) {}

bool Client::rolls(Kind kind, std::uint64_t chance) {
    return random_.below(1000) < chance && options_.allows(kind);
}

Duration Client::patience() { return Duration(50 + random_.below(random_.below(4) * 500 + 50)); }

void Client::act(Surroundings& world) {
    if (!is_awake(world.now())) return;
    if (rolls(Kind::Pause, settings_.pause_chance)) {
        const auto span = Duration(random_.below(random_.below(4) == 0 ? 60'000 : 1'500));
        asleep_until_ = world.now() + span;
        return world.note(text_of(owner_, " sleeps for ", span.count(), " ms"));
    }
    if (pending_) return insist(world);
    auto operation = choose(world);
    key(world, operation);
    begin(world, std::move(operation));
}

void Client::begin(Surroundings& world, storage::Operation operation) {
    const auto id = ++world.last_call;
    const auto request_id = text_of("c", id, ".1");
    const auto* key = storage::idempotency_of(operation);
    if (key != nullptr) used_keys_.push_back(key->key);
    if (auto* acquire = std::get_if<storage::AcquireLock>(&operation); acquire && key == nullptr)
        acquire->metadata_json = metadata_for(request_id);
    const bool ends_it = std::holds_alternative<storage::ReleaseLease>(operation) ||
                         std::holds_alternative<storage::Resign>(operation) ||
                         std::holds_alternative<storage::FinishRun>(operation);
    if (ends_it) forget_grant();
    // Nobody asks for it without a token.
    const auto token = storage::presented_token(operation);
    const bool releases = token && rolls(Kind::LastWrite, settings_.last_write_chance);
    if (releases && grant_ && grant_->token == token->value()) forget_grant();
    const bool renews = std::holds_alternative<storage::RenewLease>(operation);
    if (renews && grant_ && random_.below(3) == 0) ++grant_->renewals;
    const bool is_admin = std::holds_alternative<storage::BreakLock>(operation);
    Call call{.id = id,
              .client = index_,
              .command = {is_admin ? "admin" : principal_, request_id, std::move(operation)},
              .has_key = key != nullptr};
    call.command.releases_lease = releases;
    world.send(call);
    pending_ = Pending{.call = std::move(call), .patient_until = world.now() + patience()};
}

// No answer yet. Who waits for a lock is patient, unless it leaves.
void Client::insist(Surroundings& world) {
    const auto* acquire = std::get_if<storage::AcquireLock>(&pending_->call.command.operation);
    const bool waits = acquire != nullptr && acquire->wait > Duration::zero();
    const bool leaves = rolls(Kind::Disconnect, waits ? 60 : 0);
    const auto patient_until = pending_->patient_until + (waits ? acquire->wait : Duration(0));
    if (!leaves && world.now() < patient_until) return;
    if (!leaves && pending_->call.has_key && random_.below(100) < 85) return resend(world);
    world.leave(pending_->call.id);
    auto left = *std::exchange(pending_, std::nullopt);
    if (leaves && left.call.has_key && rolls(Kind::Return, 700)) come_back(world, left.call);
}

// Over another connection.
void Client::come_back(Surroundings& world, Call call) {
    auto& acquire = std::get<storage::AcquireLock>(call.command.operation);
    if (random_.below(4) == 0) acquire.wait = Duration(random_.below(2'000));
    call.id = ++world.last_call;
    call.command.request_id = text_of("c", call.id, ".1");
    if (random_.below(2) == 0) world.send(call);  // else a little later
    const auto waited = random_.below(2) == 0 ? acquire.wait : Duration(0);
    pending_ = Pending{.call = std::move(call), .patient_until = world.now() - waited + patience()};
}

// The wait was in vain. Who asks in rounds comes back at once or a little later, which may be too
// late for its place.
bool Client::goes_another_round(Surroundings& world, const Answer& answer) {
    auto& acquire = std::get<storage::AcquireLock>(pending_->call.command.operation);
    const bool is_over = answer.error && answer.error->code == ErrorCode::LockHeld;
    if (!is_over || !pending_->call.has_key || !rolls(Kind::Return, 700)) return false;
    if (random_.below(4) == 0) acquire.wait = Duration(random_.below(2'000));
    const auto pause = Duration(random_.below(random_.below(3) == 0 ? 2'000 : 100));
    pending_->patient_until = world.now() - acquire.wait + pause;
    return true;
}

void Client::resend(Surroundings& world) {
    auto& [call, patient_until, times] = *pending_;
    // A client that took its lock again presents the new token: the key is what makes it the same.
    if (grant_ && random_.below(2) == 0) present_instead(call.command.operation, grant_->token);
    // The header is not part of what is asked under the key: it may be left out, or come too late.
    if (random_.below(8) == 0 && storage::presented_token(call.command.operation))
        call.command.releases_lease = rolls(Kind::LastWrite, 500);
    call.command.request_id = text_of("c", call.id, ".", ++times);
    patient_until = world.now() + patience();
    world.send(call);
}

void Client::hear(Surroundings& world, const AnswerMessage& message) {
    if (!pending_ || pending_->call.id != message.call) return;
    world.note(text_of(owner_, " hears ", describe(message.answer), " to c", message.call));
    if (is_open(message.answer) && pending_->call.has_key && random_.below(10) < 9) {
        pending_->patient_until = world.now() + Duration(random_.below(400));
        return;
    }
    if (std::holds_alternative<storage::AcquireLock>(pending_->call.command.operation)) {
        if (goes_another_round(world, message.answer)) return;
        if (!message.answer.error) hear_grant(world, message.answer);
    }
    pending_.reset();
}

void Client::lose_connection(std::uint64_t call, Duration now) {
    if (pending_ && pending_->call.id == call) pending_->patient_until = now - kWaitMax;
}

void Client::hear_grant(Surroundings& world, const Answer& answer) {
    const auto id = parse_uuid(answer.resource_id);
    if (!id) return;
    forget_grant();
    const auto& acquire = std::get<storage::AcquireLock>(pending_->call.command.operation);
    grant_ = Grant{.locks = locks_of(acquire),
                   .token = testing::number_of(answer.fencing_token),
                   .lease_id = *id,
                   .run = {},
                   .election = {}};
    if (const auto* claim = std::get_if<storage::ClaimRun>(&acquire.purpose)) grant_->run = *claim;
    if (const auto* campaign = std::get_if<storage::Campaign>(&acquire.purpose))
        grant_->election = campaign->election;
    world.known_grants.push_back(*grant_);
}

void Client::forget_grant() {
    if (!grant_) return;
    past_.push_back(*std::exchange(grant_, std::nullopt));
    if (past_.size() > kRemembered) past_.erase(past_.begin());
}

}  // namespace fencegate::simulation
