// How the gateway dies, what it finds when it is started again, and what its operator does.
#include "storage/copies/restore.hpp"
#include "tests/crash/store_invariants.hpp"
#include "tests/simulation/gateway.hpp"

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace fencegate::simulation {
namespace {

constexpr std::uint64_t kSoon = 30;  // writes and syncs; a batch has about ten

using Bytes = std::vector<char>;

Bytes read_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const std::filesystem::path& file, const Bytes& bytes) {
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

testing::Remains draw_remains(testing::SeededRandom& random) {
    return static_cast<testing::Remains>(random.below(testing::kRemainsCount));
}

}  // namespace

void Gateway::maybe_reboot() {
    if (!allows(Kind::Reboot, 400)) return;
    trace_.add("reboot: boot time starts anew");
    const auto wall = clock_->wall_now();
    use(std::make_unique<testing::ManualClock>());
    clock_->set_wall(wall);
}

void Gateway::die(Power power) {
    rows_.reset();
    store_.reset();
    inbox_.clear();
    cancelled_.clear();
    ++lives_;
    trace_.count("fault: death");
    if (disk_.is_dead() || power == Power::Cut) {
        const auto remains = draw_remains(random_);
        trace_.count("fault: power cut");
        trace_.add(text_of("power cut, remains ", static_cast<int>(remains)));
        disk_.power_cut(remains, random_);
        if (random_.below(4) == 0) disk_.lose_power_at(1 + random_.below(12));
    } else {
        disk_.be_sound();
    }
    maybe_reboot();
    open();
    trace_.add("opened");
    oracle_.restarted(rows_->refresh(), clock_->boot_now());
}

// The store can no longer tell what its last batch came to.
void Gateway::fail(BatchFacts batch, const Answers& answers) {
    trace_.count("fault: outcome unknown");
    trace_.add(text_of("store: failed while committing ", batch.requests.size(), " commands"));
    oracle_.unknown(std::move(batch), answers);
    if (!disk_.is_dead()) {
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
    disk_.lose_power_at(1 + random_.below(kSoon));
}

void Gateway::fail_disk_soon() {
    trace_.add("the disk will fail once");
    disk_.fail_at(1 + random_.below(kSoon), 0);
}

void Gateway::fill_disk() {
    trace_.add("the disk is full for a while");
    disk_.fail_at(1 + random_.below(8), SQLITE_FULL, 1 + random_.below(120));
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
    connection_->checkpoint(is_full);
    const auto failure = connection_->failure();
    connection_->clear_failure();
    if (failure && failure->kind != storage::sqlite::Failure::Kind::Full) die(Power::On);
}

void Gateway::stall(Duration span) {
    trace_.count("fault: stall");
    trace_.add(text_of("nothing is looked at for ", span.count(), " ms"));
    clock_->leap(span);
}

void Gateway::back_up() {
    trace_.add("backup");
    backup_ = Backup{.database = read_file(folder_ / "store.db"),
                     .log = read_file(folder_ / "store.db-wal"),
                     .timeline = oracle_.timeline()};
}

void Gateway::restore() {
    if (!backup_) return;
    trace_.count("fault: restore");
    const auto lost_epoch = rows_->refresh().epoch;
    trace_.add(text_of("restore, the lost store was at epoch ", lost_epoch));
    rows_.reset();
    store_.reset();
    inbox_.clear();
    cancelled_.clear();
    ++lives_;
    // The files are replaced: nothing of the old ones can come back after a power cut.
    disk_.power_cut(testing::Remains::Everything, random_);
    std::filesystem::remove(folder_ / "store.db-shm");
    write_file(folder_ / "store.db", backup_->database);
    write_file(folder_ / "store.db-wal", backup_->log);
    const auto restored = storage::restore_store(
        {.data_dir = folder_.path(), .epoch_above = lost_epoch}, clock_->wall_now());
    if (!restored)
        throw Violation(Rule::S5Durable, "the restore failed: " + restored.error().detail);
    maybe_reboot();
    open();
    oracle_.restored(backup_->timeline, rows_->refresh(), clock_->boot_now());
    if (random_.below(2) == 0) back_up();
}

void Gateway::come_to_rest() {
    disk_.be_sound();
    comes_to_rest_ = true;
    let_everything_end();
    oracle_.check_refusals(rows_->refresh());
    die(Power::Cut);
    oracle_.check_refusals(rows_->refresh());
    // What is forgotten can no longer be added up from the file alone.
    if (settings_.hour_chance > 0) return let_everything_be_forgotten();
    store_->close();
    rows_.reset();
    store_.reset();
    const auto broken = testing::broken_invariants(folder_ / "store.db");
    if (!broken.empty()) throw Violation(Rule::Money, broken.front());
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
    oracle_.check_all_is_forgotten(rows_->refresh());
}

}  // namespace fencegate::simulation
