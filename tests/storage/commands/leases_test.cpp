// Leases in the store: grant, wait, renew, expire, restart.
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using storage::AcquireEvent;
using storage::Answer;

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST(Leases, AHeldLockIsRefusedWithItsHolder) {
    StoreHarness store;
    ASSERT_FALSE(store.acquire("a", {.owner = "first"})->error);

    const auto refused = *store.acquire("a", {.owner = "second"});

    ASSERT_EQ(code_of(refused), ErrorCode::LockHeld);
    EXPECT_EQ(refused.error->retry_after_ms, 1'000);
    bool names_holder = false;
    for (const auto& [name, value] : refused.error->members)
        names_holder |= name == "holder" && std::get<std::string>(value) == "first";
    EXPECT_TRUE(names_holder);
}

TEST(Leases, TheSameHolderAskingAgainIsAContender) {
    StoreHarness store;
    ASSERT_FALSE(store.acquire("a")->error);

    EXPECT_EQ(code_of(*store.acquire("a")), ErrorCode::LockHeld);
}

TEST(Leases, NamesAreComparedExactlyNotByPrefix) {
    StoreHarness store;
    ASSERT_FALSE(store.acquire("path/1")->error);

    EXPECT_FALSE(store.acquire("path")->error);
}

TEST(Leases, ARenewalKeepsTheTokenAndMovesTheDeadline) {
    StoreHarness store;
    const auto grant = *store.acquire("a", {.ttl_ms = 1'000});
    store.tick(Duration(900));

    const auto renewed = store.renew(grant);

    EXPECT_EQ(renewed.fencing_token, grant.fencing_token);
    store.tick(Duration(999));
    EXPECT_TRUE(has(store.lock("a").body, R"("state":"held")"));
    store.tick(Duration(1));
    EXPECT_TRUE(has(store.lock("a").body, R"("state":"free")"));
}

TEST(Leases, ARenewalNeverRevives) {
    StoreHarness store;
    const auto expired = *store.acquire("a");
    store.tick(Duration(1'001));
    EXPECT_EQ(code_of(store.renew(expired)), ErrorCode::GoneExpired);

    const auto released = *store.acquire("a");
    ASSERT_FALSE(store.release(released).error);

    EXPECT_EQ(code_of(store.renew(released)), ErrorCode::GoneReleased);
    EXPECT_EQ(code_of(store.renew(expired)), ErrorCode::GoneStale);
    EXPECT_TRUE(has(store.lock("a").body, R"("state":"free")"));
}

TEST(Leases, ASupersededHolderCannotReleaseItsSuccessor) {
    StoreHarness store;
    const auto a = *store.acquire("a");
    store.tick(Duration(1'001));
    ASSERT_FALSE(store.acquire("a", {.owner = "b"})->error);

    EXPECT_EQ(code_of(store.release(a)), ErrorCode::GoneStale);
    EXPECT_TRUE(has(store.lock("a").body, R"("state":"held")"));
}

TEST(Leases, AnotherPrincipalCanNeitherRenewNorRelease) {
    StoreHarness store;
    const auto grant = *store.acquire("a");

    EXPECT_EQ(code_of(store.release(grant, "thief")), ErrorCode::FenceNotHolder);
}

TEST(Leases, SurviveARestartWithTheirFullTtl) {
    StoreHarness store;
    const auto grant = *store.acquire("a", {.ttl_ms = 1'000});
    store.clock.advance(Duration(900));

    store.reopen();

    EXPECT_EQ(code_of(*store.acquire("a")), ErrorCode::LockHeld);
    store.tick(Duration(999));
    EXPECT_FALSE(store.renew(grant).error);
    store.tick(Duration(1'000));
    EXPECT_EQ(code_of(store.renew(grant)), ErrorCode::GoneExpired);
    EXPECT_EQ(store.observer.levels.at(1).held, 0U);
}

TEST(Leases, StayRenewableWhenTheirClassHasNarrowedSince) {
    StoreHarness store;
    const auto grant = *store.acquire("payments/pay_42", {.ttl_ms = 5'000});

    store.reopen({{.name = "payments", .ttl_max = Duration(1'000), .ttl_default = Duration(500)}});

    EXPECT_FALSE(store.renew(grant).error);
    EXPECT_EQ(code_of(store.renew(grant, 5'000)), ErrorCode::InvalidArgument);
}

TEST(Leases, ARenewedTtlSurvivesARestart) {
    StoreHarness store;
    const auto grant = *store.acquire("a", {.ttl_ms = 1'000});
    ASSERT_FALSE(store.renew(grant, 5'000).error);

    store.reopen();
    store.tick(Duration(4'999));

    EXPECT_FALSE(store.renew(grant).error);
}

TEST(Waiting, AReleaseGrantsTheOldestWaiterAndOnlyIt) {
    StoreHarness store;
    const auto first = *store.acquire("a");
    ASSERT_FALSE(store.acquire("a", {.owner = "b", .wait_ms = 5'000}));
    const auto b = store.last_ticket();
    ASSERT_FALSE(store.acquire("a", {.owner = "c", .wait_ms = 5'000}));
    const auto c = store.last_ticket();

    auto answers = store.run_batch({[&] {
        std::vector<storage::Operation> one;
        one.push_back(storage::ReleaseLease{*parse_uuid(first.resource_id)});
        return one;
    }()});

    ASSERT_TRUE(answers.contains(b));
    EXPECT_FALSE(answers.contains(c));
    EXPECT_EQ(testing::number_of(answers.at(b).fencing_token),
              testing::number_of(first.fencing_token) + 1);
    EXPECT_EQ(store.observer.levels.at(1).waiting, 1U);
}

TEST(Waiting, AnExpiryGrantsTheOldestWaiter) {
    StoreHarness store;
    store.acquire("a", {.ttl_ms = 1'000});
    ASSERT_FALSE(store.acquire("a", {.owner = "b", .wait_ms = 5'000}));
    const auto b = store.last_ticket();

    EXPECT_TRUE(store.tick(Duration(999)).empty());
    const auto answers = store.tick(Duration(1));

    ASSERT_TRUE(answers.contains(b));
    EXPECT_FALSE(answers.at(b).error);
}

TEST(Waiting, NewcomersDoNotOvertake) {
    StoreHarness store;
    const auto first = *store.acquire("a");
    ASSERT_FALSE(store.acquire("a", {.wait_ms = 5'000}));
    const auto waiter = store.last_ticket();

    std::vector<storage::Operation> batch;
    batch.push_back(storage::ReleaseLease{*parse_uuid(first.resource_id)});
    batch.push_back(StoreHarness::acquire_of("a", {.owner = "newcomer"}));
    const auto answers = store.run_batch(std::move(batch));

    EXPECT_FALSE(answers.at(waiter).error);
    EXPECT_EQ(code_of(answers.at(store.last_ticket())), ErrorCode::LockHeld);
}

// Tickets come from several threads, each with a number range of its own.
TEST(Waiting, IsInOrderOfArrivalAndNotOfTickets) {
    StoreHarness store;
    const auto first = *store.acquire("a");
    const auto ask = [&](std::uint64_t ticket) {
        const storage::Request request{
            storage::Ticket(ticket),
            nullptr,
            {"worker", "r", StoreHarness::acquire_of("a", {.wait_ms = 5'000})}};
        EXPECT_TRUE(store.store->run({&request, 1}, {}).empty());
    };
    ask(7'000);
    ask(6'000);

    std::vector<storage::Operation> batch;
    batch.push_back(storage::ReleaseLease{*parse_uuid(first.resource_id)});
    const auto answers = store.run_batch(std::move(batch));

    EXPECT_TRUE(answers.contains(7'000));
    EXPECT_FALSE(answers.contains(6'000));
}

TEST(Waiting, EndsAtItsDeadlineWith423) {
    StoreHarness store;
    store.acquire("a", {.ttl_ms = 60'000});
    ASSERT_FALSE(store.acquire("a", {.wait_ms = 200}));
    const auto waiter = store.last_ticket();

    EXPECT_TRUE(store.tick(Duration(199)).empty());
    const auto answers = store.tick(Duration(1));

    EXPECT_EQ(code_of(answers.at(waiter)), ErrorCode::LockHeld);
}

TEST(Waiting, WhoHasLeftIsNeverGranted) {
    StoreHarness store;
    const auto first = *store.acquire("a");
    ASSERT_FALSE(store.acquire("a", {.owner = "gone", .wait_ms = 5'000}));
    const storage::Ticket gone(store.last_ticket());
    ASSERT_FALSE(store.acquire("a", {.owner = "there", .wait_ms = 5'000}));
    const auto there = store.last_ticket();

    // The release and the news of the departure meet in one batch: the departure counts first.
    const storage::Request release{
        storage::Ticket(900),
        nullptr,
        {"worker", "r", storage::ReleaseLease{*parse_uuid(first.resource_id)}}};
    std::map<std::uint64_t, Answer> answers;
    for (auto& routed : store.store->run({&release, 1}, {&gone, 1}))
        answers[routed.delivery.ticket.value()] = routed.delivery.answer;

    EXPECT_EQ(code_of(answers.at(gone.value())), ErrorCode::RequestTimeout);
    EXPECT_FALSE(answers.at(there).error);
    EXPECT_EQ(store.number("SELECT count(*) FROM leases WHERE owner = 'gone'"), 0);
}

// The news of the departure may overtake the request itself: both wait in one inbox.
TEST(Waiting, WhoLeftBeforeBeingHeardJoinsNoLine) {
    StoreHarness store;
    store.acquire("a");
    const storage::Ticket gone(800);
    const storage::Request request{
        gone, nullptr, {"worker", "r", StoreHarness::acquire_of("a", {.wait_ms = 60'000})}};

    const auto routed = store.store->run({&request, 1}, {&gone, 1});

    ASSERT_EQ(routed.size(), 1U);
    EXPECT_EQ(code_of(routed.front().delivery.answer), ErrorCode::RequestTimeout);
    EXPECT_TRUE(has(store.lock("a").body, R"("waiters":0)"));
}

TEST(Waiting, ADrainAnswersEverybodyAndNobodyJoinsALine) {
    StoreHarness store;
    store.acquire("a");
    ASSERT_FALSE(store.acquire("a", {.wait_ms = 5'000}));
    const auto waiter = store.last_ticket();

    const auto routed = store.store->drain();

    ASSERT_EQ(routed.size(), 1U);
    EXPECT_EQ(routed.front().delivery.ticket.value(), waiter);
    EXPECT_EQ(code_of(routed.front().delivery.answer), ErrorCode::Draining);
    EXPECT_EQ(code_of(*store.acquire("a", {.wait_ms = 5'000})), ErrorCode::Draining);
}

TEST(Idempotency, ALostGrantIsAnsweredAgainWithTheSameLease) {
    StoreHarness store;
    const auto first = *store.acquire("a", {.ttl_ms = 1'000, .key = "k"});
    store.clock.advance(Duration(400));

    const auto again = *store.acquire("a", {.ttl_ms = 1'000, .key = "k"});

    EXPECT_TRUE(again.is_replayed);
    EXPECT_EQ(again.fencing_token, first.fencing_token);
    EXPECT_EQ(again.resource_id, first.resource_id);
    EXPECT_EQ(again.fence_status, storage::FenceStatus::Live);
    EXPECT_TRUE(has(again.body, R"("remaining_ms":600)"));
    EXPECT_EQ(store.number("SELECT count(*) FROM leases"), 1);
}

TEST(Idempotency, AReplayedGrantDoesNotPretendToBeLive) {
    StoreHarness store;
    store.acquire("a", {.key = "k"});
    store.tick(Duration(1'001));

    const auto again = *store.acquire("a", {.key = "k"});

    EXPECT_TRUE(again.is_replayed);
    EXPECT_EQ(again.fence_status, storage::FenceStatus::Stale);
    EXPECT_EQ(code_of(again), ErrorCode::GoneExpired);
    EXPECT_TRUE(again.body.empty());
}

TEST(Idempotency, AWaitingKeyIsInFlight) {
    StoreHarness store;
    const auto holder = *store.acquire("a");
    ASSERT_FALSE(store.acquire("a", {.wait_ms = 5'000, .key = "k"}));
    const auto waiter = store.last_ticket();

    EXPECT_EQ(code_of(*store.acquire("a", {.wait_ms = 5'000, .key = "k"})),
              ErrorCode::IdempotencyInFlight);

    std::vector<storage::Operation> batch;
    batch.push_back(storage::ReleaseLease{*parse_uuid(holder.resource_id)});
    const auto answers = store.run_batch(std::move(batch));
    const auto again = *store.acquire("a", {.wait_ms = 5'000, .key = "k"});
    EXPECT_TRUE(again.is_replayed);
    EXPECT_EQ(again.fencing_token, answers.at(waiter).fencing_token);
}

TEST(Idempotency, AKeyThatWaitsForALockIsTakenForPaymentsToo) {
    StoreHarness store;
    const auto holder = *store.acquire("a");
    ASSERT_FALSE(store.acquire("a", {.wait_ms = 5'000, .key = "k"}));
    const auto waiter = store.last_ticket();
    storage::CreatePayment create{.id = "pay_42",
                                  .currency = "EUR",
                                  .amount_minor = 9,
                                  .capture = true,
                                  .reference = {},
                                  .metadata_json = {},
                                  .token = lockmgr::kNoToken,
                                  .idempotency = idempotency("k", "another body")};

    EXPECT_EQ(code_of(*store.run(create)), ErrorCode::IdempotencyMismatch);

    const auto answers = store.tick(Duration(1'000));
    ASSERT_TRUE(answers.contains(waiter));
    EXPECT_GT(answers.at(waiter).fencing_token, holder.fencing_token);
    EXPECT_FALSE(store.store->fatal());
}

}  // namespace
}  // namespace fencegate::testing
