// The bytes of an event stream.
#include "proxy/streams/watch_event.hpp"

#include <gtest/gtest.h>

namespace fencegate::proxy {
namespace {

using lockmgr::LeaseEnding;
using Kind = storage::LockNotice::Kind;

storage::LockNotice notice(Kind kind) {
    return {.kind = kind,
            .at = WallTime(std::chrono::milliseconds(1'800'000'000'123)),
            .locks = {lockmgr::LockName::from_store("a")},
            .token = lockmgr::FencingToken(7),
            .principal = "p",
            .owner = "o",
            .ttl = Duration(5'000)};
}

storage::LockNotice notice(LeaseEnding ending) {
    auto ended = notice(Kind::Ended);
    ended.ending = ending;
    return ended;
}

std::string text_of(const storage::LockNotice& notice) {
    std::string out;
    append_notice(notice, "run-1", out);
    return out;
}

std::string expected(const std::string& event, const std::string& rest) {
    return "event: " + event +
           "\nid: run-1\ndata: {\"lock\":\"a\",\"locks\":[\"a\"],\"fencing_token\":7," +
           "\"principal\":\"p\"" + rest + ",\"at\":\"2027-01-15T08:00:00.123Z\"}\n\n";
}

TEST(WatchEvent, EveryKindHasItsNameAndItsMembers) {
    EXPECT_EQ(text_of(notice(Kind::Granted)), expected("granted", R"(,"owner":"o","ttl_ms":5000)"));
    EXPECT_EQ(text_of(notice(Kind::Renewed)), expected("renewed", R"(,"owner":"o","ttl_ms":5000)"));
    EXPECT_EQ(text_of(notice(LeaseEnding::Released)), expected("released", R"(,"owner":"o")"));
    EXPECT_EQ(text_of(notice(LeaseEnding::Expired)), expected("expired", R"(,"owner":"o")"));
}

TEST(WatchEvent, ABreakHasItsReasonOnOneLine) {
    auto broken = notice(LeaseEnding::Broken);
    broken.text = "it \"hangs\"\nsince noon";

    EXPECT_EQ(text_of(broken),
              expected("broken", R"(,"owner":"o","reason":"it \"hangs\"\u000asince noon")"));
}

TEST(WatchEvent, ARefusalSaysHowLateItWasAndWhoHoldsTheLock) {
    auto refused = notice(Kind::Refused);
    refused.refusal = ErrorCode::FenceStale;
    refused.current_token = lockmgr::FencingToken(9);
    refused.late = Duration(40);

    EXPECT_EQ(text_of(refused),
              expected("refused", R"(,"code":"fence_token_stale","current_token":9,"late_ms":40)"));
}

TEST(WatchEvent, ARefusalWhileNobodyHoldsTheLockNamesNoToken) {
    auto refused = notice(Kind::Refused);
    refused.refusal = ErrorCode::FenceReleased;

    EXPECT_EQ(text_of(refused), expected("refused", R"(,"code":"lease_released","late_ms":0)"));
}

// A line break would end the field, and a blank line the event.
TEST(WatchEvent, AProclaimedValueStaysOnOneLine) {
    auto proclaimed = notice(Kind::Proclaimed);
    proclaimed.text = "{\"url\":\n\r\n\"x\"}";

    EXPECT_EQ(text_of(proclaimed),
              expected("proclaimed", ",\"owner\":\"o\",\"value\":{\"url\":   \"x\"}"));
}

TEST(WatchEvent, ALeaseOverManyLocksListsThem) {
    auto granted = notice(Kind::Granted);
    granted.locks.push_back(lockmgr::LockName::from_store("b"));

    const auto text = text_of(granted);

    EXPECT_NE(text.find(R"(data: {"locks":["a","b"],)"), std::string::npos) << text;
}

TEST(WatchEvent, TheWordsOfTheGatewayAreEventsToo) {
    std::string out;
    append_opening("run-1", out);
    EXPECT_EQ(out, ": connected\nretry: 1000\nid: run-1\n\n");
    out.clear();
    append_opening({}, out);
    EXPECT_EQ(out, ": connected\nretry: 1000\n\n");
    out.clear();
    append_heartbeat("run-1", out);
    EXPECT_EQ(out, ": heartbeat\nid: run-1\n\n");
    out.clear();
    append_state("{\"a\":\n1}", "run-1", out);
    EXPECT_EQ(out, "event: state\nid: run-1\ndata: {\"a\": 1}\n\n");
    out.clear();
    append_reset("too_old", "run-1", out);
    EXPECT_TRUE(out.starts_with("event: reset\nid: run-1\ndata: {\"reason\":\"too_old\",")) << out;
    EXPECT_TRUE(out.ends_with("}\n\n"));
    out.clear();
    append_overrun(out);
    EXPECT_TRUE(out.starts_with("event: overrun\ndata: {\"detail\":")) << out;
    out.clear();
    append_draining(out);
    EXPECT_TRUE(out.starts_with("event: draining\ndata: {\"detail\":")) << out;
}

}  // namespace
}  // namespace fencegate::proxy
