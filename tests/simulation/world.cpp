#include "tests/simulation/world.hpp"

#include "tests/support/store_harness.hpp"

#include <algorithm>

namespace fencegate::simulation {

World::World(const Options& options, Trace& trace)
    : options_(options),
      trace_(trace),
      settings_(draw_settings(options)),
      random_(options.seed),
      network_(options, settings_),
      gateway_(
          options, settings_, trace,
          [this](Ticket ticket, Answer answer) { on_answer(ticket, std::move(answer)); },
          [this] { let_request_arrive(); }) {
    for (std::size_t at = 0; at < settings_.payments; ++at) {
        payments.push_back(text_of("pay_", at + 1));
        locks.push_back("payments/" + payments.back());
    }
    for (std::size_t at = 0; at < settings_.other_locks; ++at)
        locks.push_back(text_of("jobs/", at + 1));
    name_pools_and_roles();
    for (std::size_t at = 0; at < settings_.clients; ++at)
        clients_.emplace_back(at, options_, settings_);
    make_payments();
}

void World::name_pools_and_roles() {
    for (std::size_t at = 0; at <= settings_.other_locks; ++at)
        pools.push_back(text_of("pools/", at + 1));
    elections = {"scheduler", "primary"};
    for (const auto& election : elections) role_locks.push_back("elections/" + election);
    // The clock begins at the first hour of the year: some are long due, some come during the run.
    for (const auto* slot : {"2025-12-31T02:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:30Z",
                             "2026-01-01T00:02:00Z", "2026-01-01T02:00:00Z"}) {
        slots.push_back(*lockmgr::RunSlot::parse(slot));
        role_locks.push_back(run_lock("nightly", slots.back()));
    }
}

void World::make_payments() {
    for (const auto& payment : payments) {
        const auto key = "make-" + payment;
        gateway_.submit({Ticket(++last_ticket_),
                         nullptr,
                         {"p0", key,
                          storage::CreatePayment{.id = payment,
                                                 .currency = "EUR",
                                                 .amount_minor = 4'000,
                                                 .capture = random_.below(4) != 0,
                                                 .reference = {},
                                                 .metadata_json = {},
                                                 .token = lockmgr::kNoToken,
                                                 .idempotency = testing::idempotency(key)}}});
    }
    gateway_.turn();
}

void World::step() {
    maybe_strike();
    const auto dice = random_.below(100);
    if (dice < 45) {
        clients_[random_.below(clients_.size())].act(*this);
    } else if (dice < 62) {
        for (auto left = 1 + random_.below(3); left > 0; --left) let_request_arrive();
    } else if (dice < 78) {
        for (auto left = 1 + random_.below(3); left > 0; --left) let_answer_arrive();
    } else if (dice < 93) {
        gateway_.turn();
    } else {
        let_time_pass();
    }
    forget_dead_connections();
}

void World::finish() { gateway_.come_to_rest(); }

void World::maybe_strike() {
    constexpr std::array kStrikes{Kind::Crash,     Kind::PowerCut,   Kind::PowerCut,
                                  Kind::DiskError, Kind::FullDisk,   Kind::Restart,
                                  Kind::Restore,   Kind::Restore,    Kind::WallJump,
                                  Kind::Stall,     Kind::Checkpoint, Kind::Checkpoint};
    const bool strikes = random_.below(1000) < settings_.fault_chance;
    const auto kind = kStrikes[random_.below(kStrikes.size())];
    if (!strikes || !options_.allows(kind)) return;
    strike(kind);
    forget_dead_connections();
}

void World::strike(Kind kind) {
    const auto dice = random_.below(100);
    if (kind == Kind::Crash) return gateway_.crash();
    if (kind == Kind::PowerCut) return dice < 40 ? gateway_.cut_power() : gateway_.cut_power_soon();
    if (kind == Kind::DiskError) return gateway_.fail_commit_soon();
    if (kind == Kind::FullDisk) return gateway_.fill_disk();
    if (kind == Kind::Restart) return gateway_.restart();
    if (kind == Kind::Restore) return dice < 60 ? gateway_.back_up() : gateway_.restore();
    if (kind == Kind::Checkpoint) return gateway_.checkpoint();
    if (kind == Kind::Stall) {
        const auto hangs = Duration(random_.below(5'000));
        elapsed_ += hangs;
        return gateway_.stall(hangs);
    }
    const auto span = Duration(random_.below(172'800'000));
    note(text_of("wall clock ", dice < 50 ? "back " : "forward ", span.count()));
    gateway_.clock().step_wall(dice < 50 ? -span : span);
}

void World::send(const Call& call) {
    note(text_of("w", call.client, " sends ", describe(call.command)));
    network_.send(call, elapsed_);
}

void World::note(std::string line) { trace_.add(std::move(line)); }

// The gateway notices a closed connection where it waits: while an acquire is in line.
void World::leave(std::uint64_t call) {
    note(text_of("the client of c", call, " has left"));
    network_.client_left(call);
    for (auto& [ticket, asked] : asked_) {
        if (asked.call == call && asked.is_acquire) gateway_.cancel(ticket);
    }
}

void World::let_request_arrive() {
    auto message = network_.next_request(elapsed_);
    if (!message) return;
    auto& call = message->call;
    const Ticket ticket(++last_ticket_);
    const bool is_acquire = std::holds_alternative<storage::AcquireLock>(call.command.operation);
    if (call.has_key)  // another arrival is another request
        call.command.request_id += text_of("#", ticket.value());
    note(text_of("arrives ", call.command.request_id, " as ticket ", ticket.value()));
    asked_[ticket] = {call.client, call.id, is_acquire};
    gateway_.submit({ticket, nullptr, std::move(call.command)});
    if (message->is_orphan && is_acquire && random_.below(2) == 0) gateway_.cancel(ticket);
}

void World::on_answer(Ticket ticket, Answer answer) {
    const auto found = asked_.find(ticket);
    note(text_of("answer to ticket ", ticket.value(), ": ", describe(answer)));
    if (found == asked_.end()) return;  // the world's own
    const auto asked = found->second;
    asked_.erase(found);
    network_.send(AnswerMessage{asked.client, asked.call, std::move(answer)}, elapsed_);
}

void World::let_answer_arrive() {
    const auto message = network_.next_answer(
        elapsed_, [this](std::size_t client) { return clients_[client].is_awake(elapsed_); });
    if (message) clients_[message->client].hear(*this, *message);
}

void World::let_time_pass() {
    const auto dice = random_.below(100);
    auto span = Duration(random_.below(25));
    if (dice >= 50) span = Duration(20 + random_.below(200));
    if (dice >= 97) span = Duration(1'000 + random_.below(10'000));
    if (dice == 99) span = Duration(10'000 + random_.below(60'000));
    if (const auto next = gateway_.next_ending(); next && dice >= 91 && dice < 97) {
        const auto left = ms_between(gateway_.clock().boot_now(), *next);
        span = Duration(
            std::max<std::int64_t>(0, left - 1 + static_cast<std::int64_t>(random_.below(3))));
    }
    if (random_.below(1000) < settings_.hour_chance)
        // Also less than an hour: what has run of it counts.
        span = Duration(random_.below(2) == 0 ? 3'600'000 + random_.below(600'000)
                                              : 1'200'000 + random_.below(2'400'000));
    note(text_of("time passes: ", span.count(), " ms"));
    elapsed_ += span;
    gateway_.clock().advance(span);
}

void World::forget_dead_connections() {
    if (gateway_.lives() == life_) return;
    life_ = gateway_.lives();
    for (const auto& [ticket, asked] : asked_)
        clients_[asked.client].lose_connection(asked.call, elapsed_);
    asked_.clear();
}

}  // namespace fencegate::simulation
