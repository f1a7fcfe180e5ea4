// The outbox: what was committed is told, in order, at least once.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Events : public GatewaySuite {
protected:
    Response events(const std::string& query) { return get("/v1/events" + query); }
    Response acknowledge(const std::string& consumer, std::int64_t position) {
        return client.request("PUT", "/v1/events/consumers/" + consumer, {},
                              R"({"position":)" + std::to_string(position) + "}");
    }
    // The newest there is.
    std::int64_t head() {
        std::int64_t after = 0;
        for (;;) {
            const auto page = events("?limit=100&after=" + std::to_string(after));
            after = page.json_int("next_after");
            if (!page.json_bool("has_more")) return after;
        }
    }
};

TEST_F(Events, TellEveryMovementOnceAndInOrder) {
    const auto before = head();
    const auto id = create_payment();
    const auto own = grant_payment(id);
    refund(id, own.token, 250);

    const auto page = events("?after=" + std::to_string(before));

    ASSERT_EQ(page.json_size("data"), 2U) << page.body;
    EXPECT_EQ(page.json_text("/data/0/type"), "payment.created");
    EXPECT_EQ(page.json_size("/data/0/transfers"), 2U) << "authorized and captured at once";
    EXPECT_EQ(page.json_text("/data/1/type"), "payment.refunded");
    EXPECT_EQ(page.json_text("/data/1/payment"), id);
    EXPECT_EQ(page.json_int("/data/1/transfers/0/amount"), 250);
    EXPECT_EQ(std::to_string(page.json_int("/data/1/fencing_token")), own.token);
    EXPECT_EQ(page.json_text("/data/1/holder/principal"), "default");
    EXPECT_LT(page.json_int("/data/0/id"), page.json_int("/data/1/id"));
    EXPECT_EQ(page.json_int("next_after"), page.json_int("/data/1/id"));
    EXPECT_FALSE(page.json_bool("has_more"));
}

TEST_F(Events, AnEmptyPageSaysWhereToAskAgain) {
    const auto last = head();

    const auto page = events("?after=" + std::to_string(last));

    EXPECT_EQ(page.json_size("data"), 0U);
    EXPECT_EQ(page.json_int("next_after"), last);
}

TEST_F(Events, ComeInPages) {
    const auto before = head();
    create_payment();
    create_payment();

    const auto first = events("?limit=1&after=" + std::to_string(before));
    const auto second = events("?limit=1&after=" + std::to_string(first.json_int("next_after")));

    EXPECT_EQ(first.json_size("data"), 1U);
    EXPECT_TRUE(first.json_bool("has_more"));
    EXPECT_EQ(second.json_size("data"), 1U);
    EXPECT_FALSE(second.json_bool("has_more"));
    EXPECT_NE(first.json_int("/data/0/id"), second.json_int("/data/0/id"));
}

TEST_F(Events, GoOnBehindWhatAConsumerHasAcknowledged) {
    const auto name = fresh("mailer");
    create_payment();
    const auto done = head();
    ASSERT_EQ(acknowledge(name, done).status, 200);
    create_payment();

    const auto page = events("?consumer=" + name);

    EXPECT_EQ(page.json_size("data"), 1U) << page.body;
    EXPECT_GT(page.json_int("/data/0/id"), done);
    EXPECT_EQ(events("?consumer=" + name).body, page.body) << "until it is acknowledged";
}

TEST_F(Events, AnAcknowledgementNeverGoesBack) {
    const auto name = fresh("mailer");
    create_payment();
    const auto done = head();
    acknowledge(name, done);

    const auto late = acknowledge(name, done - 1);

    EXPECT_EQ(late.status, 200);
    EXPECT_EQ(late.json_int("position"), done);
    EXPECT_EQ(get("/v1/events/consumers/" + name).json_int("position"), done);
}

TEST_F(Events, AnAcknowledgementSurvivesARestart) {
    const auto name = fresh("mailer");
    create_payment();
    const auto done = head();
    acknowledge(name, done);

    client.close();
    gateway().restart();
    client = gateway().client();

    EXPECT_EQ(get("/v1/events/consumers/" + name).json_int("position"), done);
}

TEST_F(Events, WhatHasNotHappenedIsNotAcknowledged) {
    expect_problem(acknowledge(fresh("mailer"), head() + 1'000), 400, "invalid_argument");
}

TEST_F(Events, AConsumerBelongsToItsPrincipal) {
    const auto name = fresh("mailer");
    acknowledge(name, 0);
    auto other =
        gateway().client(gateway().add_key("another", {"payments:read", "payments:write"}));
    const auto target = "/v1/events/consumers/" + name;

    expect_problem(other.request("GET", target), 403, "forbidden");
    expect_problem(other.request("PUT", target, {}, R"({"position":0})"), 403, "forbidden");
    expect_problem(other.request("DELETE", target), 403, "forbidden");
    expect_problem(other.request("GET", "/v1/events?consumer=" + name), 403, "forbidden");
}

TEST_F(Events, AForgottenConsumerIsNotFound) {
    const auto name = fresh("mailer");
    acknowledge(name, 0);

    EXPECT_EQ(client.request("DELETE", "/v1/events/consumers/" + name).status, 204);

    expect_problem(get("/v1/events/consumers/" + name), 404, "consumer_not_found");
    expect_problem(events("?consumer=" + name), 404, "consumer_not_found");
}

TEST_F(Events, ABadParameterIsNamed) {
    for (const auto* query : {"?after=-1", "?after=x", "?limit=0", "?consumer=a/b",
                              "?consumer=a&after=1", "?cursor=o1"}) {
        SCOPED_TRACE(query);
        expect_problem(events(query), 400, "invalid_argument");
    }
    expect_problem(client.request("PUT", "/v1/events/consumers/a"), 400, "invalid_argument");
    expect_problem(acknowledge("a", -1), 400, "invalid_argument");
}

TEST_F(Events, OnlyWhoMayWriteAcknowledges) {
    auto reader = gateway().client(gateway().add_key("reader", {"payments:read"}));

    expect_problem(reader.request("PUT", "/v1/events/consumers/a", {}, R"({"position":0})"), 403,
                   "forbidden");
}

}  // namespace
}  // namespace fencegate::contract
