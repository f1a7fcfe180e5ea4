// The outbox: what was committed is told, in order, at least once.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Events : public GatewaySuite {
protected:
    Response events(const std::string& query) { return get("/v1/events" + query); }
    Response after(std::int64_t position, std::string_view more = "") {
        return events(filled("?after=$$", position, more));
    }
    Response acknowledge(std::int64_t position) {
        return put(consumer, filled(R"({"position":$})", position));
    }
    // The newest there is.
    std::int64_t head() {
        std::int64_t last = 0;
        for (;;) {
            const auto page = after(last, "&limit=100");
            last = page.json_int("next_after");
            if (!page.json_bool("has_more")) return last;
        }
    }

    const std::string name = fresh("mailer");
    const std::string consumer = "/v1/events/consumers/" + name;
};

TEST_F(Events, TellEveryMovementOnceAndInOrder) {
    const auto before = head();
    const auto id = create_payment();
    const auto own = grant_payment(id);
    refund(id, own.token, 250);

    const auto page = after(before);

    EXPECT_THAT(page, Is(200,
                         R"({"has_more":false,"next_after":$,"data":[)"
                         R"({"type":"payment.created","id":"<$..>","transfers":["<any>","<any>"]},)"
                         R"({"type":"payment.refunded","payment":"$","transfers":[{"amount":250}],)"
                         R"("fencing_token":$,"holder":{"principal":"default"}}]})",
                         page.json_int("/data/1/id"), before + 1, id, own.token))
        << "authorized and captured at once";
    EXPECT_LT(page.json_int("/data/0/id"), page.json_int("/data/1/id"));
}

TEST_F(Events, AnEmptyPageSaysWhereToAskAgain) {
    const auto last = head();

    EXPECT_THAT(after(last), Is(200, R"({"data":[],"next_after":$})", last));
}

TEST_F(Events, ComeInPages) {
    const auto before = head();
    create_payment();
    create_payment();

    const auto first = after(before, "&limit=1");
    EXPECT_THAT(first, Is(200, R"({"data":["<any>"],"has_more":true})"));
    const auto seen = first.json_int("/data/0/id");
    EXPECT_THAT(after(first.json_int("next_after"), "&limit=1"),
                Is(200, R"({"data":[{"id":"<$..>"}],"has_more":false})", seen + 1));
}

TEST_F(Events, GoOnBehindWhatAConsumerHasAcknowledged) {
    create_payment();
    const auto done = head();
    ASSERT_THAT(acknowledge(done), Is(200));
    create_payment();

    const auto page = events("?consumer=" + name);

    EXPECT_THAT(page, Is(200, R"({"data":[{"id":"<$..>"}]})", done + 1));
    EXPECT_EQ(events("?consumer=" + name).body, page.body) << "until it is acknowledged";
}

TEST_F(Events, AnAcknowledgementNeverGoesBackNorAheadOfWhatHappened) {
    create_payment();
    const auto done = head();
    acknowledge(done);

    EXPECT_THAT(acknowledge(done - 1), Is(200, R"({"position":$})", done));
    EXPECT_THAT(acknowledge(done + 1'000), Refused(400, "invalid_argument"));
    EXPECT_THAT(get(consumer), Is(200, R"({"position":$})", done));
}

TEST_F(Events, AnAcknowledgementSurvivesARestart) {
    create_payment();
    const auto done = head();
    acknowledge(done);

    restart();

    EXPECT_THAT(get(consumer), Is(200, R"({"position":$})", done));
}

TEST_F(Events, AConsumerBelongsToItsPrincipal) {
    acknowledge(0);
    auto other = as("another", {"payments:read", "payments:write"});
    const auto is_refused = Refused(403, "forbidden");

    EXPECT_THAT(other.request("GET", consumer), is_refused);
    EXPECT_THAT(other.request("PUT", consumer, {}, R"({"position":0})"), is_refused);
    EXPECT_THAT(other.request("DELETE", consumer), is_refused);
    EXPECT_THAT(other.request("GET", "/v1/events?consumer=" + name), is_refused);
}

TEST_F(Events, AForgottenConsumerIsNotFound) {
    acknowledge(0);

    EXPECT_THAT(remove(consumer), Is(204));

    EXPECT_THAT(get(consumer), Refused(404, "consumer_not_found"));
    EXPECT_THAT(events("?consumer=" + name), Refused(404, "consumer_not_found"));
}

TEST_F(Events, AnAcknowledgementNeedsAPosition) {
    EXPECT_THAT(put(consumer, {}), Refused(400, "invalid_argument"));
    EXPECT_THAT(acknowledge(-1), Refused(400, "invalid_argument"));
}

}  // namespace
}  // namespace fencegate::contract
