// What the engine tells of itself while the disk hangs: then nothing else does.
#include "tests/support/engine_harness.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <mutex>

namespace fencegate::testing {
namespace {

using storage::Ticket;

// Stands in for a sync that does not come back: keeps the store's thread in its first batch.
class HangingDisk final : public storage::StoreObserver {
public:
    void on_events(const std::vector<storage::StoreEvent>& /*events*/) override {
        hangs_.count_down();
        mended_.wait();
    }

    void await_hang() { hangs_.wait(); }
    void mend() {
        std::call_once(once_, [this] { mended_.count_down(); });
    }

private:
    std::latch hangs_{1};
    std::latch mended_{1};
    std::once_flag once_;
};

class Answers final : public storage::AnswerSink {
public:
    explicit Answers(std::ptrdiff_t expected) : outstanding_(expected) {}
    void deliver(std::vector<storage::Delivery> deliveries) override {
        outstanding_.count_down(static_cast<std::ptrdiff_t>(deliveries.size()));
    }
    void await_all() { outstanding_.wait(); }

private:
    std::latch outstanding_;
};

class EngineLoad : public ::testing::Test {
protected:
    EngineLoad() { engine = engine_of(harness, harness.clock, random, disk); }
    ~EngineLoad() override {
        disk.mend();
        engine->stop();
    }

    void ask(std::uint64_t ticket, std::string_view lock) {
        ASSERT_EQ(engine->submit({Ticket(ticket),
                                  &answers,
                                  {"worker", "req", StoreHarness::acquire_of(lock), "route"}}),
                  storage::Submission::Taken);
    }

    StoreHarness harness;
    SeededRandom random{1};
    HangingDisk disk;
    Answers answers{3};
    std::unique_ptr<storage::Engine> engine;
};

TEST_F(EngineLoad, IsTrueWhileTheDiskHangs) {
    const auto began = harness.clock.boot_now();
    ask(1, "payments/pay_1");
    disk.await_hang();
    ask(2, "payments/pay_2");
    ask(3, "payments/pay_3");

    harness.clock.advance(Duration(7'000));
    const auto load = engine->load();

    EXPECT_EQ(load.commands, 3U);
    EXPECT_EQ(load.busy_since, began);
}

TEST_F(EngineLoad, IsNothingOnceEverythingIsAnswered) {
    ask(1, "payments/pay_1");
    ask(2, "payments/pay_2");
    ask(3, "payments/pay_3");

    disk.mend();
    answers.await_all();
    EXPECT_EQ(engine->load().commands, 0U);
    engine->stop();

    EXPECT_EQ(engine->load().busy_since, std::nullopt);
}

}  // namespace
}  // namespace fencegate::testing
