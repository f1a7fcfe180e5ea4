// Elections: a lock with a value, and a leader whose word counts while it leads.
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using storage::Answer;

storage::Operation campaign(std::string value, std::int64_t wait_ms = 0, std::string owner = "a") {
    auto operation = StoreHarness::acquire_of("elections/e", {.owner = owner, .wait_ms = wait_ms});
    std::get<storage::AcquireLock>(operation).purpose = storage::Campaign{"e", std::move(value)};
    return operation;
}

Answer proclaim(StoreHarness& store, testing::Token token, std::string value) {
    return *store.run(storage::Proclaim{"e", std::move(value), testing::presented(token)});
}

Answer resign(StoreHarness& store, testing::Token token) {
    return *store.run(storage::Resign{"e", testing::presented(token)});
}

std::string read(StoreHarness& store) { return store.run(storage::ReadElection{"e"})->body; }

TEST(Elections, AreVacantUntilSomebodyLeads) {
    StoreHarness store;
    EXPECT_TRUE(has(read(store), R"("state":"vacant")"));

    ASSERT_FALSE(store.run(campaign(R"({"at":"one"})"))->error);

    EXPECT_TRUE(has(read(store), R"("state":"led")"));
    EXPECT_TRUE(has(read(store), R"("value":{"at":"one"})"));
}

TEST(Elections, TheNextCandidateLeadsWhenTheLeaderResigns) {
    StoreHarness store;
    const auto first = *store.run(campaign(R"({"at":"one"})"));
    ASSERT_FALSE(store.run(campaign(R"({"at":"two"})", 5'000, "b")));
    const auto candidate = store.last_ticket();
    EXPECT_TRUE(has(read(store), R"("candidates":1)"));

    const auto answers =
        store.run_batch({storage::Resign{"e", testing::presented(first.fencing_token)}});

    ASSERT_TRUE(answers.contains(candidate));
    EXPECT_GT(answers.at(candidate).fencing_token, first.fencing_token);
    EXPECT_TRUE(has(read(store), R"("value":{"at":"two"})"));
}

TEST(Elections, WhatAnEarlierLeaderSaidDoesNotSpeakForThisOne) {
    StoreHarness store;
    store.run(campaign(R"({"at":"one"})"));
    store.tick(Duration(1'001));
    EXPECT_FALSE(has(read(store), "one"));

    ASSERT_FALSE(store.run(campaign(""))->error);

    EXPECT_TRUE(has(read(store), R"("state":"led")"));
    EXPECT_FALSE(has(read(store), "one"));
}

TEST(Elections, ADeposedLeaderCanNeitherProclaimNorResignForItsSuccessor) {
    StoreHarness store;
    const auto old = *store.run(campaign(R"({"at":"one"})"));
    store.tick(Duration(1'001));
    ASSERT_FALSE(store.run(campaign(R"({"at":"two"})"))->error);

    EXPECT_EQ(code_of(proclaim(store, old.fencing_token, R"({"at":"zombie"})")),
              ErrorCode::FenceStale);
    EXPECT_EQ(code_of(resign(store, old.fencing_token)), ErrorCode::FenceStale);
    EXPECT_TRUE(has(read(store), R"("value":{"at":"two"})"));
}

TEST(Elections, TheLeaderChangesItsValueAndWatchersAreTold) {
    StoreHarness store;
    const auto leader = *store.run(campaign(R"({"at":"one"})"));

    ASSERT_FALSE(proclaim(store, leader.fencing_token, R"({"at":"moved"})").error);

    EXPECT_TRUE(has(read(store), R"("value":{"at":"moved"})"));
    ASSERT_FALSE(store.observer.notices.empty());
    EXPECT_EQ(store.observer.notices.back().kind, storage::LockNotice::Kind::Proclaimed);
    EXPECT_EQ(store.observer.notices.back().text, R"({"at":"moved"})");
}

TEST(Elections, AReaderOfTheLockIsNoLeader) {
    StoreHarness store;
    const auto reader = *store.acquire("elections/e", {.claim = {lockmgr::LockMode::Shared, 1}});

    EXPECT_TRUE(has(read(store), R"("state":"vacant")"));
    EXPECT_EQ(code_of(proclaim(store, reader.fencing_token, "{}")), ErrorCode::FenceLockMismatch);
}

// Accepted late, because nobody leads: it must not look as if somebody did.
TEST(Elections, ALateProclamationMakesNobodyLeader) {
    StoreHarness store({{.name = "elections", .accepts_late_writes = true}});
    const auto leader = *store.run(campaign(R"({"at":"one"})"));
    store.tick(Duration(1'001));

    EXPECT_FALSE(proclaim(store, leader.fencing_token, R"({"at":"late"})").error);
    EXPECT_TRUE(has(read(store), R"("state":"vacant")"));
    EXPECT_FALSE(resign(store, leader.fencing_token).error);

    ASSERT_FALSE(store.run(campaign(""))->error);
    EXPECT_FALSE(has(read(store), "late"));
}

TEST(Elections, TheLeaderAndItsValueSurviveARestart) {
    StoreHarness store;
    store.run(campaign(R"({"at":"one"})"));

    store.reopen();

    EXPECT_TRUE(has(read(store), R"("state":"led")"));
    EXPECT_TRUE(has(read(store), R"("value":{"at":"one"})"));
}

}  // namespace
}  // namespace fencegate::testing
