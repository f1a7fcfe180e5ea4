// What is asked for again, with a key or because its reply was lost: never a second effect, and
// never a success that is none any more.
#include "storage/model/operation.hpp"
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using storage::Answer;

constexpr const char* kLock = "payments/pay_42";

std::string text_member(const Answer& answer, std::string_view name) {
    return member_of(answer, name).value_or("");
}

// --- a lease that has ended is never told as a success again ---

struct EndRow {
    const char* name;
    ErrorCode code;
    void (*end)(StoreHarness&, const Answer&);
};

void break_it(StoreHarness& store, const Answer& grant) {
    store.run(storage::BreakLock{*lockmgr::LockName::parse(kLock), *grant.fencing_token, "stuck"});
}

const EndRow kEnds[] = {
    {"expired", ErrorCode::GoneExpired,
     [](StoreHarness& store, const Answer&) { store.tick(Duration(1'001)); }},
    {"superseded", ErrorCode::GoneStale,
     [](StoreHarness& store, const Answer&) {
         store.tick(Duration(1'001));
         store.acquire(kLock, {.owner = "b"});
     }},
    {"released", ErrorCode::GoneReleased,
     [](StoreHarness& store, const Answer& grant) { store.release(grant); }},
    {"broken", ErrorCode::GoneBroken, break_it},
};

TEST(Replay, OfAnAcquireWhoseLeaseHasEndedTellsHowItEnded) {
    for (const auto& row : kEnds) {
        StoreHarness store;
        const auto grant = *store.acquire(kLock, {.key = "k"});
        row.end(store, grant);

        const auto again = *store.acquire(kLock, {.key = "k"});

        SCOPED_TRACE(row.name);
        EXPECT_EQ(code_of(again), row.code);
        EXPECT_TRUE(again.is_replayed);
        EXPECT_FALSE(again.fencing_token);
        EXPECT_EQ(again.fence_status, storage::FenceStatus::Stale);
        EXPECT_TRUE(has(text_member(again, "remedy"), "another acquire key"));
    }
}

TEST(Replay, OfARenewalWhoseLeaseHasEndedTellsHowItEnded) {
    for (const auto& row : kEnds) {
        StoreHarness store;
        const auto grant = *store.acquire(kLock);
        const storage::RenewLease renew{.lease_id = *parse_uuid(grant.resource_id),
                                        .idempotency = idempotency("k")};
        ASSERT_FALSE(store.run(renew)->error);
        row.end(store, grant);

        SCOPED_TRACE(row.name);
        EXPECT_EQ(code_of(*store.run(renew)), row.code);
    }
}

TEST(Replay, OfARenewalDoesNotRenewAgain) {
    StoreHarness store;
    const auto grant = *store.acquire(kLock);
    const storage::RenewLease renew{.lease_id = *parse_uuid(grant.resource_id),
                                    .idempotency = idempotency("k")};
    ASSERT_FALSE(store.run(renew)->error);
    store.tick(Duration(600));

    const auto again = *store.run(renew);

    EXPECT_TRUE(again.is_replayed);
    EXPECT_TRUE(has(again.body, R"("remaining_ms":400)")) << again.body;
}

// --- a key works on every write ---

lockmgr::PresentedToken presented(const Answer& grant) {
    return testing::presented(grant.fencing_token);
}
constexpr const char* kSlot = "2026-01-01T00:00:00Z";  // now

Answer lead(StoreHarness& store) {
    auto campaign = StoreHarness::acquire_of("elections/e");
    std::get<storage::AcquireLock>(campaign).purpose = storage::Campaign{"e", ""};
    return *store.run(std::move(campaign));
}
Answer claim(StoreHarness& store, std::string key = {}) {
    auto claim = StoreHarness::acquire_of(std::string("runs/j/") + kSlot, {.key = std::move(key)});
    std::get<storage::AcquireLock>(claim).purpose =
        storage::ClaimRun{"j", *lockmgr::RunSlot::parse(kSlot), std::nullopt};
    return *store.run(std::move(claim));
}
storage::FinishRun finish(const Answer& grant, bool is_done) {
    return {"j", *lockmgr::RunSlot::parse(kSlot), is_done, "", presented(grant)};
}

struct WriteRow {
    const char* name;
    storage::Operation (*make)(StoreHarness&);
};

const WriteRow kWrites[] = {
    {"renew",
     [](StoreHarness& store) -> storage::Operation {
         return storage::RenewLease{*parse_uuid(store.acquire(kLock)->resource_id)};
     }},
    {"release",
     [](StoreHarness& store) -> storage::Operation {
         return storage::ReleaseLease{*parse_uuid(store.acquire(kLock)->resource_id)};
     }},
    {"break",
     [](StoreHarness& store) -> storage::Operation {
         return storage::BreakLock{*lockmgr::LockName::parse(kLock),
                                   *store.acquire(kLock)->fencing_token, "stuck"};
     }},
    {"proclaim",
     [](StoreHarness& store) -> storage::Operation {
         return storage::Proclaim{"e", R"({"a":1})", presented(lead(store))};
     }},
    {"resign",
     [](StoreHarness& store) -> storage::Operation {
         return storage::Resign{"e", presented(lead(store))};
     }},
    {"done", [](StoreHarness& store) -> storage::Operation { return finish(claim(store), true); }},
    {"failed",
     [](StoreHarness& store) -> storage::Operation { return finish(claim(store), false); }},
    {"acknowledge",
     [](StoreHarness&) -> storage::Operation {
         return storage::Acknowledge{"c", 0};
     }},
    {"forget",
     [](StoreHarness& store) -> storage::Operation {
         store.run(storage::Acknowledge{"c", 0});
         return storage::ForgetConsumer{"c"};
     }},
};

TEST(Replay, OfEveryWriteIsItsFirstAnswerAndHasNoFurtherEffect) {
    for (const auto& row : kWrites) {
        SCOPED_TRACE(row.name);
        StoreHarness store;
        auto write = row.make(store);
        attach(write, idempotency("k"));
        const auto first = *store.run(write);
        ASSERT_FALSE(first.error) << first.error->detail;
        EXPECT_FALSE(first.is_replayed);
        store.reopen();
        const auto events = store.observer.notices.size();

        const auto again = *store.run(write);

        ASSERT_FALSE(again.error) << again.error->detail;
        EXPECT_TRUE(again.is_replayed);
        EXPECT_EQ(again.resource_id, first.resource_id);
        if (kind_of(write) != storage::OperationKind::Renew) {
            EXPECT_EQ(again.body, first.body);
        }
        EXPECT_EQ(store.observer.notices.size(), events);
        EXPECT_EQ(store.number("SELECT count(*) FROM answers WHERE key = 'k'"), 1);
    }
}

TEST(Replay, OfEveryWriteForAnotherRequestIsAMismatchThatNamesTheFirst) {
    for (const auto& row : kWrites) {
        SCOPED_TRACE(row.name);
        StoreHarness store;
        auto write = row.make(store);
        attach(write, idempotency("k", "one"));
        ASSERT_FALSE(store.run(write)->error);
        attach(write, idempotency("k", "other"));

        const auto refused = *store.run(write);

        EXPECT_EQ(code_of(refused), ErrorCode::IdempotencyMismatch);
        EXPECT_EQ(text_member(refused, "original_operation"), row.name);
        EXPECT_TRUE(text_member(refused, "original_resource").starts_with("/v1/"));
        EXPECT_EQ(text_member(refused, "original_at"), "2026-01-01T00:00:00.000Z");
    }
}

TEST(Replay, LeavesTheKeyOfARefusedWriteFree) {
    StoreHarness store;
    const auto grant = *store.acquire(kLock);
    const storage::RenewLease renew{.lease_id = *parse_uuid(grant.resource_id),
                                    .ttl = Duration(1),
                                    .idempotency = idempotency("k")};

    EXPECT_EQ(code_of(*store.run(renew)), ErrorCode::InvalidArgument);

    EXPECT_EQ(store.number("SELECT count(*) FROM answers"), 0);
}

// --- what is asked for twice without a key, because the reply was lost ---

TEST(Repeated, ReleaseIsASuccessThatSaysSo) {
    StoreHarness store;
    const auto grant = *store.acquire(kLock);
    ASSERT_FALSE(store.release(grant).error);
    const auto events = store.observer.all.size();

    const auto again = store.release(grant);

    EXPECT_FALSE(again.error);
    EXPECT_TRUE(again.is_replayed);
    EXPECT_EQ(store.observer.all.size(), events);
    EXPECT_EQ(code_of(store.release(grant, "another")), ErrorCode::FenceNotHolder);
}

TEST(Repeated, ReleaseOfALeaseThatRanOutIsNot) {
    StoreHarness store;
    const auto grant = *store.acquire(kLock);
    store.tick(Duration(1'001));

    const auto refused = store.release(grant);

    EXPECT_EQ(code_of(refused), ErrorCode::GoneExpired);
    EXPECT_FALSE(has(text_member(refused, "remedy"), "cquire"));
}

TEST(Repeated, ResignationIsASuccessAndNoRefusal) {
    StoreHarness store;
    const auto leader = lead(store);
    const storage::Resign resign{"e", presented(leader)};
    ASSERT_FALSE(store.run(resign)->error);
    const auto events = store.observer.all.size();
    const auto notices = store.observer.notices.size();

    const auto again = *store.run(resign);

    EXPECT_FALSE(again.error);
    EXPECT_TRUE(again.is_replayed);
    EXPECT_EQ(store.observer.all.size(), events);
    EXPECT_EQ(store.observer.notices.size(), notices);
    EXPECT_EQ(store.number("SELECT count(*) FROM refusals"), 0);
    EXPECT_EQ(code_of(*store.run(resign, "another")), ErrorCode::FenceNotHolder);
    EXPECT_EQ(code_of(*store.run(storage::Resign{"other", presented(leader)})),
              ErrorCode::FenceReleased);
}

// --- runs ---

TEST(Replay, OfAClaimAfterItsRunWasDoneSaysThatItIsDone) {
    StoreHarness store;
    const auto first = claim(store, "k");
    EXPECT_EQ(claim(store, "k").fencing_token, first.fencing_token);
    ASSERT_FALSE(store.run(finish(first, true))->error);

    const auto again = claim(store, "k");

    EXPECT_EQ(code_of(again), ErrorCode::RunDone);
    EXPECT_TRUE(again.is_replayed);
}

TEST(Replay, OfAClaimAfterItsRunFailedSaysSo) {
    StoreHarness store;
    const auto first = claim(store, "k");
    ASSERT_FALSE(store.run(finish(first, false))->error);

    EXPECT_EQ(code_of(claim(store, "k")), ErrorCode::RunFailed);
    EXPECT_FALSE(claim(store, "another").error) << "what its remedy says";
}

TEST(Replay, OfAClaimThatAnotherFinishedSaysThatTheRunIsDone) {
    StoreHarness store;
    claim(store, "k");
    store.tick(Duration(1'001));
    const auto second = claim(store, "other");
    EXPECT_EQ(code_of(claim(store, "k")), ErrorCode::GoneStale);
    ASSERT_FALSE(store.run(finish(second, true))->error);

    EXPECT_EQ(code_of(claim(store, "k")), ErrorCode::RunDone);
}

// --- whose key it is ---

TEST(AcquireKey, NeedsAnOwner) {
    StoreHarness store;

    const auto refused = *store.acquire(kLock, {.owner = "", .key = "k"});

    EXPECT_EQ(code_of(refused), ErrorCode::InvalidArgument);
    EXPECT_TRUE(has(refused.error->detail, "owner"));
    EXPECT_FALSE(store.acquire(kLock, {.owner = ""})->error) << "without a key it needs none";
}

TEST(AcquireKey, OfAnotherOwnerIsToldWhoseItIs) {
    StoreHarness store;
    auto one = StoreHarness::acquire_of(kLock, {.owner = "one"});
    attach(one, idempotency("k", "one"));
    const auto grant = *store.run(one);
    auto two = StoreHarness::acquire_of(kLock, {.owner = "two"});
    attach(two, idempotency("k", "two"));

    const auto refused = *store.run(two);

    EXPECT_EQ(code_of(refused), ErrorCode::IdempotencyMismatch);
    EXPECT_TRUE(has(refused.error->detail, R"(the owner "one")"));
    EXPECT_EQ(text_member(refused, "original_resource"), "/v1/leases/" + grant.resource_id);
    EXPECT_FALSE(refused.fencing_token);
}

// Repeating another worker's call would hand over its token.
TEST(AcquireKey, OfAnotherOwnerIsNeverAdvisedToRepeatItsCall) {
    StoreHarness store;
    store.run(StoreHarness::acquire_of(kLock, {.owner = "one", .key = "granted"}));
    store.run(StoreHarness::acquire_of(kLock, {.owner = "one", .wait_ms = 60'000, .key = "waits"}));
    for (const auto* key : {"granted", "waits"}) {
        SCOPED_TRACE(key);
        auto two = StoreHarness::acquire_of(kLock, {.owner = "two", .wait_ms = 60'000, .key = key});
        std::get<storage::AcquireLock>(two).idempotency->fingerprint[0] ^= 1;

        const auto refused = *store.run(two);

        ASSERT_EQ(code_of(refused), ErrorCode::IdempotencyMismatch);
        const auto remedy = text_member(refused, "remedy");
        EXPECT_TRUE(has(remedy, "another owner") && has(remedy, "keys of its own")) << remedy;
        EXPECT_FALSE(has(remedy, "Repeat the first call")) << remedy;
    }
}

TEST(Replay, OfARefusalThatLeftNothingNamesNoResourceToRead) {
    StoreHarness store;
    const auto grant = *store.acquire("payments/pay_none");
    auto refund = StoreHarness::refund_of("pay_none", grant.fencing_token);
    attach(refund, idempotency("k", "one"));
    ASSERT_EQ(code_of(*store.run(refund)), ErrorCode::PaymentNotFound);
    attach(refund, idempotency("k", "other"));

    const auto refused = *store.run(refund);

    ASSERT_EQ(code_of(refused), ErrorCode::IdempotencyMismatch);
    EXPECT_EQ(text_member(refused, "original_resource"), "");
    EXPECT_EQ(text_member(refused, "original_code"), "payment_not_found");
    EXPECT_FALSE(has(text_member(refused, "remedy"), "original_resource"));
    EXPECT_TRUE(has(text_member(refused, "remedy"), "unchanged under this key"));
}

}  // namespace
}  // namespace fencegate::testing
