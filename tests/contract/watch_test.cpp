// Following events: what is told, to whom, and where a client goes on that comes back.
#include "tests/contract/watcher.hpp"

namespace fencegate::contract {
namespace {

class Watch : public GatewaySuite {
protected:
    static Watcher watch(std::string_view query = {}, std::string_view last_event_id = {}) {
        return Watcher(gateway(), query, last_event_id);
    }
    static Watcher watch_lock(const std::string& name) { return watch("?lock=" + name); }
};

TEST_F(Watch, BeginsAtOnceAsAnEventStream) {
    const auto watcher = watch();

    EXPECT_THAT(watcher.head, Is(200)
                                  .with("Content-Type", "text/event-stream")
                                  .with("Cache-Control", "no-store")
                                  .with("Content-Length", "<absent>"));
    EXPECT_EQ(watcher.opening.comment, "connected");
    EXPECT_FALSE(watcher.opening.id.empty());
}

TEST_F(Watch, TellsTheLifeOfALease) {
    const auto name = fresh("lock");
    auto watcher = watch_lock(name);

    const auto granted = acquire(name, R"({"ttl_ms":5000,"owner":"me"})");
    const auto own = grant_of(granted);
    renew(own);
    release(own);
    const auto brief = grant(name, 100);
    await_end(brief, "expired");
    break_lock(grant(name));

    EXPECT_THAT(watcher.next(),
                IsEvent("granted",
                        R"({"lock":"$","locks":["$"],"fencing_token":$,"owner":"me",)"
                        R"("principal":"default","ttl_ms":5000,"at":"$"})",
                        name, name, own.token, granted.json_text("granted_at")));
    EXPECT_EQ(watcher.names(3), (Texts{"renewed", "released", "granted"}));
    EXPECT_THAT(watcher.next(), IsEvent("expired", R"({"fencing_token":$})", brief.token));
    EXPECT_EQ(watcher.next().name, "granted");
    EXPECT_THAT(watcher.next(), IsEvent("broken", R"({"reason":"a test says so"})"));
}

TEST_F(Watch, TellsARefusedWriteAndWhoHoldsTheLock) {
    const auto payment = create_payment();
    const auto stale = grant_payment(payment);
    release(stale);
    const auto current = grant_payment(payment);
    auto watcher = watch_lock(current.lock);

    EXPECT_THAT(refund(payment, stale.token, 100), Refused(412, "lease_released"));

    EXPECT_THAT(watcher.next(), IsEvent("refused",
                                        R"({"lock":"$","code":"lease_released","fencing_token":$,)"
                                        R"("current_token":$,"late_ms":"<0..>"})",
                                        current.lock, stale.token, current.token));
}

TEST_F(Watch, OfALockShowsNoOtherAndOfAPrefixWhateverBeginsWithIt) {
    const auto name = fresh("lock");
    auto whole = watch_lock(name);
    auto bytes = watch("?prefix=" + name);
    auto segment = watch("?prefix=" + name + "%2F");

    grant(fresh("other"));
    grant(name + "0");
    grant(name + "/below");
    grant(name);

    EXPECT_THAT(whole.next(), IsEvent("granted", R"({"lock":"$"})", name));
    EXPECT_THAT(bytes.next(), IsEvent("granted", R"({"lock":"$0"})", name));
    EXPECT_THAT(bytes.next(), IsEvent("granted", R"({"lock":"$/below"})", name));
    EXPECT_THAT(segment.next(), IsEvent("granted", R"({"lock":"$/below"})", name));
}

TEST_F(Watch, GoesOnBehindTheLastEventSeen) {
    const auto own = grant(fresh("lock"));
    auto before = watch_lock(own.lock);
    renew(own);
    const auto seen = before.next();
    renew(own);
    before.client.close();
    release(own);

    auto again = watch("?lock=" + own.lock, seen.id);

    EXPECT_EQ(again.names(2), (Texts{"renewed", "released"}));
}

// Numbers have no gaps, so a lost or repeated event would show, wherever the connection broke.
TEST_F(Watch, LosesAndRepeatsNothingWhileEventsFlow) {
    constexpr std::uint64_t kRenewals = 300;
    const auto own = grant(fresh("lock"));
    auto watcher = watch();
    auto last = watcher.opening;
    const auto end = number_of(last) + kRenewals;
    std::string renewals;
    for (std::uint64_t sent = 0; sent < kRenewals; ++sent)
        renewals += request_text(gateway(), "POST", "/v1/leases/" + own.lease_id + "/renew",
                                 {{"Content-Length", "0"}});
    client.send_raw(renewals);

    for (int read = 1; number_of(last) < end; ++read) {
        const auto event = watcher.next();
        ASSERT_EQ(number_of(event), number_of(last) + 1) << event.name;
        last = event;
        if (read % 7 == 0) watcher = watch({}, last.id);
    }

    EXPECT_EQ(number_of(last), end);
}

TEST_F(Watch, SaysThatEventsWereMissedAfterARestart) {
    const auto own = grant(fresh("lock"));
    const auto seen = watch().opening.id;
    restart();

    auto again = watch("?lock=" + own.lock, seen);
    renew(own);

    EXPECT_EQ(again.opening.id, "") << "until the reset is read, the old id counts";
    const auto reset = again.next();
    EXPECT_THAT(reset, IsEvent("reset", R"({"reason":"restarted"})"));
    EXPECT_EQ(again.next().name, "renewed");
    EXPECT_NO_THROW(static_cast<void>(watch({}, reset.id)));
}

TEST_F(Watch, SaysThatAnIdIsNoneOfItsOwn) {
    const auto present = watch().opening.id;
    const auto run = present.substr(0, present.find('-'));

    for (const auto& id : Texts{"7", "-", run + "-", run + "-x", run + "-01",
                                run + "-99999999999999999999", run + "-999999", "zz-1"})
        EXPECT_THAT(watch({}, id).next(), IsEvent("reset", R"({"reason":"malformed"})")) << id;
}

TEST_F(Watch, AnEmptyLastEventIdIsNoneAndTwoAreRefused) {
    EXPECT_THAT(
        client.request("GET", "/v1/watch", {{"Last-Event-ID", "a"}, {"Last-Event-ID", "b"}}),
        Refused(400, "bad_request"));

    client = begin("GET", "/v1/watch", {}, {{"Last-Event-ID", ""}});
    EXPECT_THAT(client.read_head(), Is(200));
    EXPECT_TRUE(contains(client.read_body_until("\n\n"), "\nid: "));
}

TEST_F(Watch, ARequestSentBehindIsNotServed) {
    const auto name = fresh("lock");
    client.send_raw(request_text(gateway(), "GET", "/v1/watch?lock=" + name) +
                    request_text(gateway(), "POST", "/v1/locks/" + name, {}, "{}"));
    EXPECT_EQ(client.read_head().header("Connection"), "close");
    client.read_body_until("\n\n");

    auto other = gateway().client();
    EXPECT_THAT(other.request("POST", "/v1/locks/" + name), Is(201)) << "it was free";
    EXPECT_TRUE(contains(client.read_body_until("\n\n"), "event: granted"));
}

TEST_F(Watch, AClientThatTalksTooMuchIsCutOff) {
    auto watcher = watch();

    watcher.client.send_raw(std::string(200'000, 'x'));

    EXPECT_TRUE(watcher.client.closed_by_peer());
}

TEST_F(Watch, WhoLeavesIsNoWatcherAnyMore) {
    const auto left =
        std::stoi(metric(gateway(), R"(fencegate_watch_ended_total{reason="client"})"));
    auto polite = watch();
    auto rude = watch();
    ASSERT_EQ(metric(gateway(), "fencegate_watchers"), "2");

    polite.client.close();
    rude.client.abort_connection();

    await("no watchers", [&] { return metric(gateway(), "fencegate_watchers") == "0"; });
    EXPECT_EQ(metric(gateway(), R"(fencegate_watch_ended_total{reason="client"})"),
              std::to_string(left + 2));
}

}  // namespace
}  // namespace fencegate::contract
