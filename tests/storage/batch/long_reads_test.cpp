// Long reads stand in a line of their own: whoever pays does not wait for all of them.
#include "tests/support/engine_harness.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>

namespace fencegate::testing {
namespace {

using storage::Ticket;

constexpr std::uint64_t kReads = 100;  // as many as may queue up
constexpr std::uint64_t kWrite = 1'000;

// Keeps the store's thread until it is told otherwise, and the order of the answers.
class Sink final : public storage::AnswerSink {
public:
    void deliver(std::vector<storage::Delivery> deliveries) override {
        may_go_on_.wait(false);
        const std::lock_guard lock(mutex_);
        for (const auto& delivery : deliveries) order_.push_back(delivery.ticket.value());
    }
    [[nodiscard]] std::vector<std::uint64_t> order() const {
        const std::lock_guard lock(mutex_);
        return order_;
    }

    void go_on() {
        may_go_on_ = true;
        may_go_on_.notify_all();
    }

private:
    std::atomic<bool> may_go_on_ = false;
    mutable std::mutex mutex_;
    std::vector<std::uint64_t> order_;
};

class LongReads : public ::testing::Test {
protected:
    LongReads() {
        for (const char* id : {"pay_1", "pay_2", "pay_3"}) harness.create(id, 500);
        engine = engine_of(harness, clock, random, harness.observer, kReads);
    }
    ~LongReads() override { finish(); }

    void finish() {
        sink.go_on();
        engine->stop();
    }

    bool ask(std::uint64_t ticket, storage::Operation operation) {
        return engine->submit(
                   {Ticket(ticket), &sink, {"worker", "req", std::move(operation), "route"}}) ==
               storage::Submission::Taken;
    }
    static storage::Operation write() {
        storage::CreatePayment create;
        create.id = "pay_4";
        create.currency = "EUR";
        create.amount_minor = 500;
        create.idempotency = idempotency("pay_4");
        return create;
    }
    static storage::Operation statement() {
        return storage::ReadStatement{.account = storage::Account::FundsHeld, .currency = "EUR"};
    }
    void ask_for_as_many_as_may_queue_up() {
        for (std::uint64_t read = 1; read <= kReads; ++read) ASSERT_TRUE(ask(read, statement()));
    }

    TickingClock clock;
    SeededRandom random{1};
    StoreHarness harness;
    Sink sink;
    std::unique_ptr<storage::Engine> engine;
};

TEST_F(LongReads, DoNotHoldUpAWriteBehindThem) {
    ask_for_as_many_as_may_queue_up();
    ASSERT_TRUE(ask(kWrite, write()));

    finish();

    // Some may have been read before the write came: the thread is kept at its first answer.
    const auto order = sink.order();
    EXPECT_EQ(order.size(), kReads + 1);
    EXPECT_LE(std::ranges::find(order, kWrite) - order.begin(), 2);
}

TEST_F(LongReads, AreBoundedAndLeaveWritesTheirRoom) {
    ask_for_as_many_as_may_queue_up();

    // One may have been taken.
    EXPECT_FALSE(ask(kReads + 1, statement()) && ask(kReads + 2, statement()));
    EXPECT_TRUE(ask(kWrite, write()));
}

TEST_F(LongReads, AreAllAnsweredWhenTheEngineStops) {
    ask_for_as_many_as_may_queue_up();

    finish();

    EXPECT_EQ(sink.order().size(), kReads);
}

}  // namespace
}  // namespace fencegate::testing
