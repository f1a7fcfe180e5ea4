// History: who held a lock, how each lease ended, which writes were refused under it. And verify:
// whether a token is good now.
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using storage::Answer;

constexpr const char* kLock = "payments/pay_42";

lockmgr::LockName name(const char* text) { return *lockmgr::LockName::parse(text); }

std::string history(StoreHarness& store, const char* lock, int limit = 10,
                    std::int64_t before = 0) {
    return store
        .run(storage::ReadHistory{.lock = name(lock),
                                  .before = lockmgr::FencingToken::from_number(before),
                                  .limit = limit})
        ->body;
}

// Positions of the owners in the text, in the order given, must rise.
bool is_in_order(const std::string& text, std::initializer_list<const char*> owners) {
    std::size_t at = 0;
    for (const char* owner : owners) {
        at = text.find("\"owner\":\"" + std::string(owner) + "\"", at);
        if (at == std::string::npos) return false;
        ++at;
    }
    return true;
}

TEST(History, NamesEveryLeaseOfALockNewestFirstAndHowItEnded) {
    StoreHarness store;
    ASSERT_FALSE(store.release(*store.acquire("a", {.owner = "one"})).error);
    store.acquire("a", {.owner = "two"});
    store.tick(Duration(1'001));
    const auto three = *store.acquire("a", {.owner = "three", .also = {"b"}});
    store.acquire("elsewhere", {.owner = "stranger"});
    ASSERT_FALSE(store.run(storage::BreakLock{name("b"), *three.fencing_token, "stuck"})->error);
    store.acquire("a", {.owner = "four"});

    const auto text = history(store, "a");

    EXPECT_TRUE(is_in_order(text, {"four", "three", "two", "one"})) << text;
    EXPECT_TRUE(has(text, R"("state":"live")"));
    EXPECT_TRUE(has(text, R"("break_reason":"stuck")"));
    EXPECT_TRUE(has(text, R"("state":"superseded")"));
    EXPECT_TRUE(has(text, R"("state":"released")"));
    EXPECT_FALSE(has(text, "stranger"));
    EXPECT_TRUE(has(history(store, "b"), "three"));
    EXPECT_FALSE(has(history(store, "b"), "four"));
}

TEST(History, IsReadInPagesWithoutALeaseTwiceOrLost) {
    StoreHarness store;
    std::vector<std::int64_t> tokens;
    for (int index = 0; index < 5; ++index) {
        const auto grant = *store.acquire("a", {.also = {"b"}});
        tokens.push_back(testing::number_of(grant.fencing_token));
        ASSERT_FALSE(store.release(grant).error);
    }

    const auto first = history(store, "b", 2);
    const auto second = history(store, "b", 2, tokens[3]);
    const auto third = history(store, "b", 2, tokens[1]);

    EXPECT_TRUE(has(first, "\"next_cursor\":\"" + std::to_string(tokens[3])));
    EXPECT_TRUE(has(second, "\"fencing_token\":" + std::to_string(tokens[2])));
    EXPECT_TRUE(has(second, "\"next_cursor\":\"" + std::to_string(tokens[1])));
    EXPECT_TRUE(has(third, "\"fencing_token\":" + std::to_string(tokens[0])));
    EXPECT_TRUE(has(third, R"("has_more":false)"));
}

TEST(History, KeepsARefusedWriteBesideTheLeaseItWasMadeUnder) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto old = *store.acquire(kLock, {.owner = "old"});
    store.tick(Duration(1'000));
    const auto current = *store.acquire(kLock, {.owner = "current"});
    store.tick(Duration(250));

    ASSERT_EQ(code_of(store.refund("pay_42", old.fencing_token)), ErrorCode::FenceStale);

    const auto text = history(store, kLock);
    EXPECT_TRUE(has(text, R"("refused_writes":1)"));
    EXPECT_TRUE(has(text, R"("code":"fence_token_stale")"));
    EXPECT_TRUE(has(text, R"("late_ms":250)"));
    EXPECT_TRUE(has(
        text, "\"current_token\":" + std::to_string(testing::number_of(current.fencing_token))));
    EXPECT_TRUE(has(text, R"("current_owner":"current")"));
    ASSERT_FALSE(store.observer.notices.empty());
    EXPECT_EQ(store.observer.notices.back().refusal, ErrorCode::FenceStale);
}

TEST(History, CountsEveryRefusalAndKeepsTheFirstHundred) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto old = *store.acquire(kLock);
    ASSERT_FALSE(store.release(old).error);

    for (int index = 0; index < 120; ++index)
        store.refund("pay_42", old.fencing_token, {.key = std::to_string(index)});

    EXPECT_EQ(store.number("SELECT refused FROM leases"), 120);
    EXPECT_EQ(store.number("SELECT count(*) FROM refusals"), 100);
}

TEST(History, SaysNothingOfAnAcceptedWrite) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto grant = *store.acquire(kLock);

    ASSERT_FALSE(store.refund("pay_42", grant.fencing_token).error);

    EXPECT_TRUE(has(history(store, kLock), R"("refused_writes":0)"));
}

TEST(Verify, SaysWhetherATokenWouldPassTheFenceNow) {
    StoreHarness store;
    const auto grant = *store.acquire("a", {.also = {"b"}});
    const auto verify = [&](const char* lock, testing::Token token) {
        return store.run(storage::VerifyFence{name(lock), *testing::presented(token)})->body;
    };

    EXPECT_TRUE(has(verify("a", grant.fencing_token), R"("live":true)"));
    EXPECT_TRUE(has(verify("b", grant.fencing_token), R"("live":true)"));
    EXPECT_TRUE(has(verify("c", grant.fencing_token), R"("live":false)"));
    EXPECT_TRUE(
        has(verify("a", testing::number_of(grant.fencing_token) + 1), R"("state":"unknown")"));
    const auto reader = *store.acquire("r", {.claim = {lockmgr::LockMode::Shared, 1}});
    EXPECT_TRUE(has(verify("r", reader.fencing_token), R"("live":false)"));
    store.tick(Duration(1'001));
    EXPECT_TRUE(has(verify("a", grant.fencing_token), R"("live":false,"state":"expired")"));
    const auto next = *store.acquire("a");
    EXPECT_TRUE(has(verify("a", grant.fencing_token), R"("state":"superseded")"));
    EXPECT_TRUE(has(verify("a", grant.fencing_token),
                    "\"current_token\":" + std::to_string(testing::number_of(next.fencing_token))));
}

TEST(ListLocks, PagesThroughNamesWithOnePrefixAndOneState) {
    StoreHarness store;
    for (const char* lock : {"p/a", "p/b", "p/c", "p/d", "p0", "o/z"}) {
        const auto grant = *store.acquire(lock, {.ttl_ms = 60'000});
        if (std::string_view(lock) == "p/b") {
            ASSERT_FALSE(store.release(grant).error);
        }
    }
    const auto list = [&](storage::ListLocks::Filter filter, std::string after, int limit) {
        return store
            .run(storage::ListLocks{
                .prefix = "p/", .filter = filter, .after = std::move(after), .limit = limit})
            ->body;
    };
    using Filter = storage::ListLocks::Filter;

    const auto held = list(Filter::Held, "", 2);
    EXPECT_TRUE(has(held, R"("lock":"p/a")") && has(held, R"("lock":"p/c")"));
    EXPECT_FALSE(has(held, R"("lock":"p/b")"));
    EXPECT_TRUE(has(held, R"("next_cursor":"p/c")"));
    const auto rest = list(Filter::Held, "p/c", 2);
    EXPECT_TRUE(has(rest, R"("lock":"p/d")") && has(rest, R"("has_more":false)"));
    EXPECT_FALSE(has(rest, "p0"));
    EXPECT_TRUE(has(list(Filter::Free, "", 9), R"("lock":"p/b","state":"free")"));
}

}  // namespace
}  // namespace fencegate::testing
