#include "cli/top/documents.hpp"

#include "tests/cli/top/news.hpp"

#include <gtest/gtest.h>

namespace fencegate::cli::top {
namespace {

TEST(TopDocuments, ReadAnEventAsTheStreamSendsIt) {
    const auto granted = parse_happening(
        "granted",
        R"({"lock":"payments/pay_42","locks":["payments/pay_42"],"fencing_token":9,)"
        R"("principal":"default","owner":"a","ttl_ms":30000,"at":"2026-11-23T09:30:00.000Z"})");
    const auto refused = parse_happening(
        "refused",
        R"({"locks":["a","b"],"fencing_token":1,"principal":"p","code":"fence_token_stale",)"
        R"("current_token":2,"late_ms":1234,"at":"2026-11-23T09:30:00.000Z","new":[{}]})");

    ASSERT_TRUE(granted && *granted && refused && *refused);
    EXPECT_EQ((*granted)->kind, Kind::Granted);
    EXPECT_EQ((*granted)->locks, std::vector<std::string>{"payments/pay_42"});
    EXPECT_EQ((*granted)->token, 9);
    EXPECT_EQ((*granted)->owner, "a");
    EXPECT_EQ((*granted)->ttl, 30s);
    EXPECT_EQ((*granted)->at, kStart);
    EXPECT_EQ((*refused)->locks.size(), 2U);
    EXPECT_EQ((*refused)->code, "fence_token_stale");
    EXPECT_EQ((*refused)->late, 1'234ms);
    EXPECT_EQ((*refused)->current_token, 2);
}

TEST(TopDocuments, PassOverEventsThatAreNotAboutLeases) {
    for (const char* event : {"", "proclaimed", "state", "reset", "tomorrow"}) {
        const auto happening = parse_happening(event, "{}");
        EXPECT_TRUE(happening && !*happening) << event;
    }
}

TEST(TopDocuments, RefuseWhatNoGatewayWouldSay) {
    EXPECT_FALSE(parse_happening("granted", "hello"));
    EXPECT_FALSE(parse_happening("granted", "[]"));
    EXPECT_FALSE(parse_lock_page("<html>", ""));
    EXPECT_FALSE(parse_lock_page("{}", ""));
    EXPECT_FALSE(parse_lock("{}"));
}

// Absurd figures and types must not overflow or throw.
TEST(TopDocuments, SurviveMembersOfAnyKind) {
    const auto happening = parse_happening(
        "granted", R"({"locks":[1,{}],"fencing_token":"x","owner":7,"ttl_ms":9223372036854775807,)"
                   R"("at":"yesterday"})");

    ASSERT_TRUE(happening && *happening);
    EXPECT_TRUE((*happening)->locks.empty());
    EXPECT_EQ((*happening)->at, WallTime{});
    EXPECT_GT((*happening)->at + (*happening)->ttl, WallTime{});
}

TEST(TopDocuments, ReadAPageAndWhereItEnds) {
    const auto page = parse_lock_page(
        R"({"data":[{"lock":"a","state":"held","holder_count":3,"waiters":2,"holder":{)"
        R"("fencing_token":7,"owner":"o","principal":"p","ttl_ms":30000,"remaining_ms":10000,)"
        R"("granted_at":"2026-11-23T09:30:00.000Z"}}],"has_more":true,"next_cursor":"k"})",
        "0");
    const auto last = parse_lock_page(R"({"data":[],"has_more":false})", "k");

    ASSERT_TRUE(page && last);
    EXPECT_EQ(page->after, "0");
    EXPECT_EQ(page->until, "k");
    EXPECT_EQ(last->until, std::nullopt);
    ASSERT_EQ(page->locks.size(), 1U);
    EXPECT_EQ(page->locks[0].holder_count, 3U);
    EXPECT_EQ(page->locks[0].waiters, 2U);
    EXPECT_EQ(page->locks[0].longest_wait, std::nullopt);  // a list shows no line
    ASSERT_EQ(page->locks[0].holders.size(), 1U);
    EXPECT_EQ(page->locks[0].holders[0].remaining, 10s);
}

TEST(TopDocuments, ReadALockWithItsLine) {
    const auto lock = parse_lock(
        R"({"lock":"a","state":"held","holder_count":2,"waiters":2,"holder":{"fencing_token":1},)"
        R"("holders":[{"fencing_token":1},{"fencing_token":2}],)"
        R"("line":[{"position":1,"waited_ms":4000},{"position":2,"waited_ms":1000}]})");

    ASSERT_TRUE(lock);
    EXPECT_EQ(lock->holders.size(), 2U);
    EXPECT_EQ(lock->longest_wait, 4s);
}

TEST(TopDocuments, ReadTimes) {
    EXPECT_EQ(parse_rfc3339("2026-11-23T09:30:00.123Z"), kStart + 123ms);
    EXPECT_EQ(parse_http_date("Mon, 23 Nov 2026 09:30:00 GMT"), kStart);
    for (const char* text : {"", "2026-11-23T09:30:00Z", "2026-13-23T09:30:00.123Z",
                             "2026-11-23T09:xx:00.123Z", "2026-11-23 09:30:00.123Z"})
        EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
    for (const char* text : {"", "Mon, 23 ovD 2026 09:30:00 GMT", "Mon, 23 Nov 2026 09:30:00 CET"})
        EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
}

}  // namespace
}  // namespace fencegate::cli::top
