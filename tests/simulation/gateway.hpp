#pragma once
// Gateway: the process under test, as far as it is simulated: the production store behind an inbox,
// on the engine that the world has, with a clock that moves when the world says so. Dies and is
// started again; whatever it did is shown to the oracle at once.
// Thread rule: one thread. Errors: throws Violation.

#include "storage/batch/batcher.hpp"
#include "tests/simulation/ground.hpp"
#include "tests/simulation/options.hpp"
#include "tests/simulation/oracle.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/support/manual_clock.hpp"

#include <functional>
#include <memory>

namespace fencegate::simulation {

class Gateway {
public:
    // Called while a commit hangs.
    using Meanwhile = std::function<void()>;
    // Called with each answer that has left the gateway.
    using Deliver = std::function<void(Ticket, Answer)>;

    Gateway(const Options& options, const Settings& settings, Trace& trace, Deliver deliver,
            Meanwhile meanwhile);
    ~Gateway() { ground_->leave(); }
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    void submit(storage::Request request);
    void cancel(Ticket ticket);
    // One round of the store thread: everything queued, in parts. It wakes for its queue or for
    // the next deadline.
    void turn();

    [[nodiscard]] testing::ManualClock& clock() { return *clock_; }
    // When the next lease, wait or rest ends.
    [[nodiscard]] std::optional<BootTime> next_ending() const;
    // Rises with every death: nothing asked before will be answered.
    [[nodiscard]] std::size_t lives() const noexcept { return lives_; }

    // gateway_faults.cpp. Each is one fault, now or in one of the next writes.
    void crash();
    void cut_power();
    void cut_power_soon();
    void fail_commit_soon();
    void fill_disk();
    void restart();
    void checkpoint();
    void stall(Duration span);  // nothing is looked at
    void back_up();
    void restore();  // does nothing without a backup
    // No fault from now on, time passes, and everything must come to rest and still be there.
    void come_to_rest();

private:
    enum class Power : std::uint8_t { On, Cut };

    void open();
    [[nodiscard]] bool try_to_open();
    void die(Power power);
    // The process is gone, and with it everybody who waited for it.
    void drop_store();
    void run(std::vector<storage::Request> requests, const std::vector<Ticket>& cancelled,
             BootTime taken);
    void use(std::unique_ptr<testing::ManualClock> clock);
    void hang();
    void fail(BatchFacts batch, const Answers& answers);
    void deliver(std::vector<storage::Routed> routed);
    [[nodiscard]] Answers collect(std::vector<storage::Routed> routed);
    void count(const BatchFacts& batch, const Answers& answers);
    void maybe_reboot();
    void let_everything_end();
    void let_everything_be_forgotten();
    [[nodiscard]] bool allows(Kind kind, std::uint64_t chance);

    const Options& options_;
    const Settings& settings_;
    Trace& trace_;
    Deliver deliver_;
    Meanwhile meanwhile_;
    const Terms terms_;
    testing::SeededRandom random_;        // of the faults
    testing::SeededRandom store_random_;  // the store's own
    std::unique_ptr<testing::ManualClock> clock_;
    std::unique_ptr<Ground> ground_;
    Oracle oracle_;
    // The store says which time it goes by; base/believed_wall_test.cpp says which it should.
    class TimeOfStore : public storage::StoreObserver {
    public:
        void on_clock(Duration offset) override { offset_ = offset; }
        [[nodiscard]] WallTime wall_at(BootTime now) const {
            return WallTime(std::chrono::floor<Duration>(now.time_since_epoch()) + offset_);
        }

    private:
        Duration offset_{};
    };
    TimeOfStore observer_;
    std::unique_ptr<storage::Batcher> store_;
    std::vector<storage::Request> inbox_;
    std::vector<Ticket> cancelled_;
    std::size_t lives_ = 0;
    Duration hang_{};  // of the next sync
    bool comes_to_rest_ = false;
    std::optional<BootTime> timers_wait_until_;  // the disk was full
    std::optional<Timeline> backup_;             // as it was then
};

}  // namespace fencegate::simulation
