// How the gateway dies, what it finds when it is started again, and what its operator does.
#include "tests/simulation/gateway.hpp"

namespace fencegate::simulation {
namespace {

constexpr std::uint64_t kSoon = 30;      // operations of the disk; a batch has about ten
constexpr std::uint64_t kAtAStart = 12;  // while it recovers

}  // namespace

void Gateway::maybe_reboot() {
    if (!allows(Kind::Reboot, 400)) return;
    trace_.add("reboot: boot time starts anew");
    const auto wall = clock_->wall_now();
    use(std::make_unique<testing::ManualClock>());
    clock_->set_wall(wall);
}

void Gateway::drop_store() {
    ground_->leave();
    store_.reset();
    inbox_.clear();
    cancelled_.clear();
    ++lives_;
}

void Gateway::die(Power power) {
    drop_store();
    trace_.count("fault: death");
    if (ground_->has_lost_power() || power == Power::Cut) {
        ground_->lose_power();
        if (random_.below(4) == 0) ground_->lose_power_soon(kAtAStart);
    } else {
        ground_->be_sound();
    }
    maybe_reboot();
    open();
    trace_.add("opened");
    oracle_.restarted(ground_->rows().refresh(), clock_->boot_now());
}

// The store can no longer tell what its last batch came to.
void Gateway::fail(BatchFacts batch, const Answers& answers) {
    trace_.count("fault: outcome unknown");
    trace_.add(text_of("store: failed while committing ", batch.requests.size(), " commands"));
    oracle_.unknown(std::move(batch), answers);
    if (!ground_->has_lost_power()) {
        for (const auto& [ticket, answer] : answers) deliver_(ticket, answer);
    }
    die(random_.below(3) == 0 && options_.allows(Kind::PowerCut) ? Power::Cut : Power::On);
}

void Gateway::crash() {
    trace_.add("crash");
    die(Power::On);
}

void Gateway::cut_power() { die(Power::Cut); }

void Gateway::cut_power_soon() {
    trace_.add("the power will go");
    ground_->lose_power_soon(kSoon);
}

void Gateway::fail_commit_soon() {
    trace_.add("a commit will fail");
    ground_->fail_soon();
}

void Gateway::fill_disk() {
    trace_.add("the disk is full for a while");
    ground_->fill();
}

void Gateway::restart() {
    trace_.add("restart");
    const auto life = lives_;
    turn();
    if (lives_ != life) return;  // it did not get that far
    auto answers = collect(store_->drain());
    oracle_.drained(answers);
    for (auto& [ticket, answer] : answers) deliver_(ticket, std::move(answer));
    store_->close();
    oracle_.closed(clock_->boot_now());
    die(Power::On);
}

void Gateway::checkpoint() {
    const bool is_full = random_.below(3) == 0;
    trace_.add(is_full ? "checkpoint, log emptied" : "checkpoint");
    if (!ground_->checkpoint(is_full)) die(Power::On);
}

void Gateway::stall(Duration span) {
    trace_.count("fault: stall");
    trace_.add(text_of("nothing is looked at for ", span.count(), " ms"));
    clock_->leap(span);
}

void Gateway::back_up() {
    trace_.add("backup");
    ground_->back_up();
    backup_ = oracle_.timeline();
}

void Gateway::restore() {
    if (!backup_) return;
    trace_.count("fault: restore");
    const auto lost_epoch = ground_->rows().refresh().epoch;
    trace_.add(text_of("restore, the lost store was at epoch ", lost_epoch));
    drop_store();
    ground_->restore(lost_epoch, clock_->wall_now());
    maybe_reboot();
    open();
    oracle_.restored(*backup_, ground_->rows().refresh(), clock_->boot_now());
    if (random_.below(2) == 0) back_up();
}

void Gateway::come_to_rest() {
    ground_->be_sound();
    comes_to_rest_ = true;
    let_everything_end();
    oracle_.check_refusals(ground_->rows().refresh());
    die(options_.allows(Kind::PowerCut) ? Power::Cut : Power::On);
    oracle_.check_refusals(ground_->rows().refresh());
    // What is forgotten can no longer be added up from the rows alone.
    if (settings_.hour_chance > 0) return let_everything_be_forgotten();
    store_->close();
    ground_->leave();
    store_.reset();
    ground_->check_what_is_left();
}

void Gateway::let_everything_end() {
    const bool has_hours = settings_.hour_chance > 0;
    for (int round = 0; round < 3; ++round) {
        clock_->advance(std::chrono::minutes(has_hours ? 540 : 2));
        turn();
    }
    if (next_ending()) throw Violation(Rule::L1LeaseEnds, "a lease or a waiter outlives all time");
}

void Gateway::let_everything_be_forgotten() {
    constexpr Duration kRound{20};
    const auto kept = std::max(terms_.retention.idempotency, terms_.retention.history);
    for (auto hours = kept.count() + 3; hours > 0; --hours) {
        clock_->advance(std::chrono::hours(1));
        turn();
        // As long as there is more to do, it goes on soon.
        for (; *store_->next_deadline() <= clock_->boot_now() + kRound; turn())
            clock_->advance(kRound);
    }
    oracle_.check_all_is_forgotten(ground_->rows().refresh());
}

}  // namespace fencegate::simulation
