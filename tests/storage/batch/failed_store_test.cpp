// What is told once a commit has failed: unknown is only what was part of it, and what comes after
// is certain to have changed nothing.
#include "tests/support/answers.hpp"
#include "tests/support/engine_harness.hpp"
#include "tests/support/forgetful_disk.hpp"

#include <gtest/gtest.h>

#include <future>

namespace fencegate::testing {
namespace {

using storage::Ticket;

storage::Operation create(std::string id) {
    storage::CreatePayment made;
    made.id = std::move(id);
    made.currency = "EUR";
    made.amount_minor = 500;
    made.idempotency = idempotency(made.id);
    return made;
}

TEST(FailedStore, TellsTheBatchThatItIsUnknownAndWhatComesAfterThatNothingWasDone) {
    ForgetfulDisk disk;
    StoreHarness store;
    store.create("pay_1", 500);
    store.create("pay_2", 500);
    ASSERT_FALSE(store.acquire("held")->error);
    ASSERT_FALSE(store.acquire("held", {.owner = "b", .wait_ms = 60'000}));
    const auto waiter = store.last_ticket();
    disk.fail_at(1, 0, 1'000);

    const auto answers = store.run_batch({create("pay_3"), storage::ReadPayment{"pay_1"}});
    const auto after = store.run_batch({create("pay_4"), storage::ReadPayment{"pay_1"}});

    ASSERT_TRUE(store.store->fatal());
    EXPECT_EQ(code_of(answers.at(waiter)), ErrorCode::OutcomeUnknown);
    EXPECT_EQ(code_of(answers.at(waiter + 1)), ErrorCode::OutcomeUnknown);
    EXPECT_TRUE(has(answers.at(waiter + 1).error->detail, "same Idempotency-Key"));
    EXPECT_EQ(code_of(answers.at(waiter + 2)), ErrorCode::StoreFailed) << "a read changes nothing";
    for (const auto& [ticket, answer] : after) {
        EXPECT_EQ(code_of(answer), ErrorCode::StoreFailed);
        EXPECT_TRUE(has(answer.error->detail, "Nothing was changed")) << answer.error->detail;
    }
    EXPECT_TRUE(has(after.at(waiter + 3).error->detail, "same Idempotency-Key"));
}

TEST(FullStore, SaysToRepeatWithTheSameKey) {
    ForgetfulDisk disk;
    StoreHarness store;
    disk.fail_at(1, 13, 1'000);  // SQLITE_FULL

    const auto refused = *store.run(create("pay_1"));

    ASSERT_EQ(code_of(refused), ErrorCode::StoreFull);
    EXPECT_TRUE(has(refused.error->detail, "same Idempotency-Key")) << refused.error->detail;
}

class Told final : public storage::AnswerSink {
public:
    void deliver(std::vector<storage::Delivery> deliveries) override {
        first_.set_value(std::move(deliveries.front().answer));
    }
    storage::Answer await() { return first_.get_future().get(); }

private:
    std::promise<storage::Answer> first_;
};

TEST(FailedStore, TakesNothingMoreAndDoesNotCallItselfBusy) {
    ForgetfulDisk disk;
    StoreHarness harness;
    SeededRandom random(1);
    Told told;
    std::promise<void> has_failed;
    harness.store->close();
    harness.store.reset();
    auto engine = storage::open_embedded_engine(
        {.data_dir = harness.folder(),
         .classes = lockmgr::LockClasses({{.name = "payments"}}),
         .wait_limits = {},
         .on_fatal = [&](const std::string&) { has_failed.set_value(); }},
        harness.clock, random, harness.observer);
    ASSERT_TRUE(engine) << engine.error().detail;
    const auto submit = [&](std::uint64_t ticket) {
        return (*engine)->submit(
            {Ticket(ticket), &told, {"worker", "req", create("pay_1"), "route"}});
    };
    disk.fail_at(1, 0, 1'000);

    ASSERT_EQ(submit(1), storage::Submission::Taken);

    EXPECT_EQ(code_of(told.await()), ErrorCode::OutcomeUnknown);
    has_failed.get_future().wait();
    EXPECT_EQ(submit(2), storage::Submission::Failed);
    (*engine)->stop();
    EXPECT_EQ(submit(3), storage::Submission::Failed);
}

TEST(StoppedStore, TakesNothingMoreAndSaysSo) {
    StoreHarness harness;
    SeededRandom random(1);
    Told told;
    const auto engine = engine_of(harness, harness.clock, random, harness.observer);

    engine->stop();

    EXPECT_EQ(engine->submit({Ticket(1), &told, {"worker", "req", create("pay_1"), "route"}}),
              storage::Submission::Stopped);
}

}  // namespace
}  // namespace fencegate::testing
