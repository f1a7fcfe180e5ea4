// Where `fencegate top` gets its news from, against a real gateway that goes away and comes back.
#include "cli/client/connection_options.hpp"
#include "cli/top/feed.hpp"
#include "cli/top/mailbox.hpp"
#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <poll.h>
#include <thread>

namespace fencegate::testing {
namespace {

using cli::top::Feed;
using cli::top::Happening;
using cli::top::Kind;
using cli::top::Link;
using cli::top::LinkState;
using cli::top::LockPage;
using cli::top::LockReading;
using cli::top::Mailbox;
using cli::top::Missed;
using cli::top::News;

cli::HttpsOptions options_for(const GatewayProcess& gateway) {
    return cli::api_connection({.url = gateway.url(), .data_dir = gateway.data_dir()}).value();
}

// A feed on its thread, and its news one after the other.
class Followed {
public:
    explicit Followed(const GatewayProcess& gateway)
        : feed_(options_for(gateway), "", [this](News news) { mailbox_.put(std::move(news)); }) {
        if (auto connected = feed_.connect(); !connected)
            throw std::runtime_error(connected.error().detail);
        thread_ = std::thread([this] {
            static_cast<void>(feed_.catch_up());
            feed_.run();
        });
    }
    ~Followed() {
        feed_.interrupt();
        mailbox_.close();
        thread_.join();
    }
    Followed(const Followed&) = delete;
    Followed& operator=(const Followed&) = delete;

    // Passes over what is not wanted.
    template <class What>
    What await(const std::function<bool(const What&)>& is_wanted = [](const What&) {
        return true;
    }) {
        const Deadline deadline(std::chrono::seconds(15));
        for (;;) {
            const auto news = next(deadline);
            const auto* what = std::get_if<What>(&news.what);
            if (what != nullptr && is_wanted(*what)) return *what;
        }
    }
    Link await_link(LinkState state) {
        return await<Link>([state](const Link& link) { return link.state == state; });
    }

private:
    News next(const Deadline& deadline) {
        while (read_ == news_.size()) {
            pollfd entry{.fd = mailbox_.descriptor(), .events = POLLIN, .revents = 0};
            if (::poll(&entry, 1, deadline.remaining_ms()) == 0)
                throw std::runtime_error("no such news within the deadline");
            news_ = mailbox_.take();
            read_ = 0;
        }
        return news_[read_++];
    }

    Mailbox mailbox_;
    Feed feed_;
    std::thread thread_;
    std::vector<News> news_;
    std::size_t read_ = 0;
};

TEST(TopFeed, TellsEventsInOrder) {
    const GatewayProcess gateway;
    auto client = gateway.client();
    Followed followed(gateway);
    followed.await_link(LinkState::Live);

    const auto lease = acquire(client, "pay_1", {.owner = "me"});
    release(client, lease.json_text("lease_id"));

    EXPECT_EQ(followed.await<Happening>().kind, Kind::Granted);
    const auto ended = followed.await<Happening>();
    EXPECT_EQ(ended.kind, Kind::Ended);
    EXPECT_EQ(ended.ending, lockmgr::LeaseEnding::Released);
}

TEST(TopFeed, SaysThatAGatewayDrainsAndThatARestartLostWhatWasKnown) {
    GatewayProcess gateway;
    auto client = gateway.client();
    const auto address = "127.0.0.1:" + std::to_string(gateway.listen().port);
    acquire(client, "pay_1", {.ttl_ms = 3'600'000});
    Followed followed(gateway);
    followed.await_link(LinkState::Live);

    gateway.stop();
    followed.await_link(LinkState::Draining);
    EXPECT_EQ(followed.await_link(LinkState::Lost).words, "the gateway was shut down");
    gateway.restart({"--listen", address});

    EXPECT_EQ(followed.await<Missed>().reason, "restarted");
    followed.await_link(LinkState::Live);
    const auto page = followed.await<LockPage>();
    ASSERT_EQ(page.locks.size(), 1U);
    EXPECT_EQ(page.locks[0].lock, "payments/pay_1");
}

// Nobody holds it, so it is on no list; and still somebody waits.
TEST(TopFeed, KeepsAnEyeOnALineWhoseLockRests) {
    GatewayProcess gateway;
    gateway.restart_with("[class.payments]\nlock_delay = \"5m\"\n");
    auto client = gateway.client();
    const auto lease = acquire(client, "pay_1", {.ttl_ms = 3'600'000});
    auto waiter = begin(gateway, "POST", "/v1/locks/payments/pay_1", R"({"wait_ms":60000})");
    Followed followed(gateway);
    followed.await<LockReading>([](const auto& lock) { return lock.waiters == 1; });

    client.request("POST", "/v1/leases/" + lease.json_text("lease_id") + "/renew", {},
                   R"({"ttl_ms":100})");

    followed.await<LockReading>(
        [](const auto& lock) { return lock.holder_count == 0 && lock.waiters == 1; });
    waiter.close();
    followed.await<LockReading>(
        [](const auto& lock) { return lock.holder_count == 0 && lock.waiters == 0; });
}

TEST(TopFeed, BeginsAtThePresentWhereThePastIsNotKept) {
    GatewayProcess gateway;
    gateway.restart_with("watch_events_max = 4\n");
    auto client = gateway.client();
    // More than the longest way back, so that the gateway has to say that it forgot.
    for (int at = 0; at < 300; ++at) acquire(client, std::to_string(at));

    Followed followed(gateway);

    EXPECT_EQ(followed.await<Missed>().reason, "too_old");
    EXPECT_EQ(followed.await<LockPage>().locks.size(), 100U);
    acquire(client, "new");
    EXPECT_EQ(followed.await<Happening>().locks.front(), "payments/new");
}

TEST(TopFeed, GoesFurtherBackThanItsOwnStart) {
    const GatewayProcess gateway;
    auto client = gateway.client();
    for (int at = 0; at < 300; ++at) acquire(client, std::to_string(at));

    Followed followed(gateway);

    EXPECT_EQ(followed.await<Happening>().locks.front(), "payments/0");
}

}  // namespace
}  // namespace fencegate::testing
