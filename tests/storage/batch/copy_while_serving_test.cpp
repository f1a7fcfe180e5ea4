// The engine copies its store between batches: nobody waits for the copy, and the copy waits for
// nobody when the engine stops.
#include "tests/support/engine_harness.hpp"

#include <gtest/gtest.h>

#include <future>

namespace fencegate::testing {
namespace {

using storage::CopyFacts;
using storage::CopyProgress;

constexpr int kPayments = 400;

// Does something once, on the store's thread, after the first slice.
class Sink final : public storage::CopySink, public storage::AnswerSink {
public:
    bool takes_more() override { return rests-- <= 0; }
    void on_copy_progress(CopyProgress progress) override {
        last = progress;
        if (auto first = std::exchange(after_the_first_slice, nullptr)) first();
    }
    void on_copied(Result<CopyFacts> facts) override {
        events += "copied ";
        end_.set_value(std::move(facts));
    }
    void deliver(std::vector<storage::Delivery>) override { events += "answered "; }

    Result<CopyFacts> await_end() {
        auto end = end_.get_future();
        if (end.wait_for(std::chrono::seconds(20)) != std::future_status::ready)
            return fail(ErrorCode::RequestTimeout, "the copy does not end");
        return end.get();
    }

    std::function<void()> after_the_first_slice;
    std::string events;  // read once the copy has ended
    CopyProgress last;
    int rests = 0;  // times that it takes no more at first

private:
    std::promise<Result<CopyFacts>> end_;
};

class CopyWhileServing : public ::testing::Test {
protected:
    CopyWhileServing() {
        harness.fill(kPayments);
        engine = engine_of(harness, clock, random, harness.observer);
    }
    ~CopyWhileServing() override { engine->stop(); }

    TempDir folder;
    TickingClock clock;
    SeededRandom random{1};
    StoreHarness harness;
    Sink sink;
    std::unique_ptr<storage::Engine> engine;
};

TEST_F(CopyWhileServing, AnswersBetweenSlices) {
    sink.after_the_first_slice = [this] {
        storage::ReadPayment read{"pay_1"};
        EXPECT_EQ(engine->submit(
                      {storage::Ticket(1), &sink, {"worker", "req", std::move(read), "route"}}),
                  storage::Submission::Taken);
    };

    ASSERT_TRUE(engine->copy_to(folder / "copy.db", sink));

    const auto facts = sink.await_end();
    ASSERT_TRUE(facts) << facts.error().detail;
    EXPECT_EQ(sink.events, "answered copied ");
    EXPECT_EQ(sink.last.pages_done, sink.last.pages_total);
    EXPECT_EQ(facts->last_transfer, 2 * kPayments);
}

TEST_F(CopyWhileServing, GoesOnWhenItsSinkTakesMore) {
    sink.rests = 5;

    ASSERT_TRUE(engine->copy_to(folder / "copy.db", sink));

    EXPECT_TRUE(sink.await_end());
    EXPECT_LT(sink.rests, 0);
}

TEST_F(CopyWhileServing, IsOneAtATime) {
    sink.after_the_first_slice = [this] {
        EXPECT_FALSE(engine->copy_to(folder / "another.db", sink));
    };

    ASSERT_TRUE(engine->copy_to(folder / "copy.db", sink));

    EXPECT_TRUE(sink.await_end());
    EXPECT_FALSE(std::filesystem::exists(folder / "another.db"));
}

TEST_F(CopyWhileServing, IsGivenUpByADrain) {
    sink.after_the_first_slice = [this] { engine->drain(); };

    ASSERT_TRUE(engine->copy_to(folder / "copy.db", sink));

    const auto end = sink.await_end();
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().code, ErrorCode::Draining);
    EXPECT_LT(sink.last.pages_done, sink.last.pages_total);
}

TEST_F(CopyWhileServing, IsGivenUpByAStopAndRefusedAfterIt) {
    std::promise<void> is_copying;
    std::promise<void> is_stopping;
    sink.after_the_first_slice = [&] {
        is_copying.set_value();
        is_stopping.get_future().wait();
    };
    ASSERT_TRUE(engine->copy_to(folder / "copy.db", sink));
    is_copying.get_future().wait();
    // stop() closes the inbox before it waits for the thread, which waits for this.
    std::thread stopper([this] { engine->stop(); });
    Sink other;
    while (engine->submit({storage::Ticket(2),
                           &other,
                           {"worker", "req", storage::ReadPayment{"pay_1"}, "route"}}) !=
           storage::Submission::Stopped)
        std::this_thread::yield();
    is_stopping.set_value();
    stopper.join();

    const auto end = sink.await_end();

    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().code, ErrorCode::Draining);
    EXPECT_FALSE(engine->copy_to(folder / "late.db", sink));
}

}  // namespace
}  // namespace fencegate::testing
