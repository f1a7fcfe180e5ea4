// Lists of payments: pages in both directions, filters, references, and the Link header.
#include "tests/contract/gateway_suite.hpp"

#include <algorithm>

namespace fencegate::contract {
namespace {

class PaymentLists : public GatewaySuite {
protected:
    Response list(const std::string& query) { return get("/v1/payments" + query); }
    static std::vector<std::string> ids(const Response& page) {
        std::vector<std::string> all;
        for (std::size_t at = 0; at < page.json_size("data"); ++at)
            all.push_back(page.json_text("/data/" + std::to_string(at) + "/id"));
        return all;
    }
    using Ids = std::vector<std::string>;
};

TEST_F(PaymentLists, GoForthAndBackInTheOrderOfCreation) {
    const auto first = create_payment();
    const auto second = create_payment();
    const auto third = create_payment();

    const auto newest = list("?limit=1");
    const auto middle = list("?limit=1&cursor=" + newest.json_text("next_cursor"));
    const auto oldest = list("?limit=1&cursor=" + middle.json_text("next_cursor"));
    const auto back = list("?limit=1&cursor=" + oldest.json_text("previous_cursor"));
    const auto front = list("?limit=1&cursor=" + back.json_text("previous_cursor"));

    EXPECT_EQ(ids(newest), Ids{third});
    EXPECT_FALSE(newest.has("previous_cursor"));
    EXPECT_TRUE(newest.json_bool("has_more"));
    EXPECT_EQ(ids(middle), Ids{second});
    EXPECT_EQ(ids(oldest), Ids{first});
    EXPECT_EQ(ids(back), Ids{second});
    EXPECT_EQ(ids(front), Ids{third});
    EXPECT_FALSE(front.has("previous_cursor")) << "nothing is newer";
}

TEST_F(PaymentLists, APageStaysWhatItWasWhilePaymentsCome) {
    create_payment();
    const auto old = create_payment();
    create_payment();
    const auto next = "?limit=1&cursor=" + list("?limit=1").json_text("next_cursor");

    const auto before = list(next);
    create_payment();

    EXPECT_EQ(ids(before), Ids{old});
    EXPECT_EQ(ids(list(next)), Ids{old});
}

TEST_F(PaymentLists, LinkLeadsToThePagesBesideIt) {
    create_payment();
    create_payment();
    create_payment();

    const auto first = list("?limit=1");
    const auto second = list("?limit=1&cursor=" + first.json_text("next_cursor"));

    EXPECT_EQ(first.header("Link"),
              "</v1/payments?limit=1&cursor=" + first.json_text("next_cursor") + ">; rel=\"next\"");
    EXPECT_TRUE(contains(second.header("Link"), "rel=\"next\", </v1/payments?limit=1&cursor=" +
                                                    second.json_text("previous_cursor") +
                                                    ">; rel=\"prev\""))
        << second.header("Link");
}

TEST_F(PaymentLists, OfAStatusLeaveOutTheOthers) {
    const auto held = create_payment(false);
    const auto captured = create_payment();

    const auto authorized = ids(list("?limit=100&status=authorized"));
    const auto done = ids(list("?limit=100&status=captured"));

    EXPECT_EQ(std::ranges::count(authorized, held), 1);
    EXPECT_EQ(std::ranges::count(authorized, captured), 0);
    EXPECT_EQ(std::ranges::count(done, captured), 1);
    EXPECT_EQ(std::ranges::count(done, held), 0);
}

TEST_F(PaymentLists, OfATimeTakeItsBeginningAndNotItsEnd) {
    const auto id = create_payment();
    const auto at = payment(id).json_text("created_at");

    const auto from = ids(list("?limit=100&created_from=" + at));
    const auto to = ids(list("?limit=100&created_to=" + at));

    EXPECT_EQ(std::ranges::count(from, id), 1);
    EXPECT_EQ(std::ranges::count(to, id), 0);
    EXPECT_TRUE(ids(list("?created_to=2001-01-01T00:00:00Z")).empty());
    EXPECT_TRUE(ids(list("?created_from=2999-01-01T00:00:00%2B01:00")).empty());
}

TEST_F(PaymentLists, OfAReferenceHaveTheOnePaymentOfThePrincipal) {
    const auto reference = fresh("order");
    const auto id = fresh("pay");
    const auto body =
        R"({"amount":5,"currency":"EUR","id":")" + id + R"(","reference":")" + reference + R"("})";
    client.request("POST", "/v1/payments", {{"Idempotency-Key", fresh("key")}}, body);
    auto other = gateway().client(gateway().add_key("other", {"payments:read"}));

    EXPECT_EQ(ids(list("?reference=" + reference)), Ids{id});
    EXPECT_TRUE(ids(list("?status=refunded&reference=" + reference)).empty());
    EXPECT_TRUE(ids(other.request("GET", "/v1/payments?reference=" + reference)).empty());
    EXPECT_TRUE(ids(list("?reference=none")).empty());
}

TEST_F(PaymentLists, ABadParameterIsNamed) {
    for (const auto* query :
         {"?limit=0", "?limit=101", "?cursor=7", "?cursor=o", "?cursor=o-1", "?cursor=o07",
          "?cursor=n9223372036854775807", "?status=paid", "?status=", "?created_from=yesterday",
          "?created_to=2026-11-23",
          "?created_from=2026-01-02T00:00:00Z&created_to=2026-01-01T00:00:00Z",
          "?reference=", "?reference=a&cursor=o7", "?principal=a", "?colour=red"}) {
        SCOPED_TRACE(query);
        EXPECT_THAT(list(query), Refused(400, "invalid_argument"));
    }
}

// Who has read a long list and keeps the connection.
class LongLists : public PaymentLists {
protected:
    static std::size_t resident_kib() {
        const auto metrics = gateway().admin_client().request("GET", "/metrics").body;
        constexpr std::string_view kName = "\nprocess_resident_memory_bytes ";
        return static_cast<std::size_t>(
                   std::stod(metrics.substr(metrics.find(kName) + kName.size()))) /
               1024;
    }
    void create_long_winded() {
        std::string metadata;
        for (int member = 0; member < 50; ++member)
            metadata.append(member == 0 ? "{" : ",")
                .append("\"m" + std::to_string(member) + "\":\"")
                .append(std::string(500, 'v') + "\"");
        const auto body = R"({"amount":100,"currency":"EUR","metadata":)" + metadata + "}}";
        const auto created =
            client.request("POST", "/v1/payments", {{"Idempotency-Key", fresh("long")}}, body);
        ASSERT_THAT(created, Is(201));
    }
};

TEST_F(LongLists, ComeInShorterPages) {
    const auto oldest = create_payment();
    for (int payment = 0; payment < 20; ++payment) create_long_winded();

    const auto first = list("?limit=21");
    const auto second = list("?limit=21&cursor=" + first.json_text("next_cursor"));

    EXPECT_LT(first.body.size(), std::size_t{300} << 10);
    EXPECT_LT(ids(first).size(), 20U);
    EXPECT_EQ(ids(first).size() + ids(second).size(), 21U);
    EXPECT_EQ(ids(second).back(), oldest);
    EXPECT_FALSE(second.json_bool("has_more"));
}

TEST_F(PaymentLists, ACursorAtTheEndOfNumbersLeadsBack) {
    const auto newest = create_payment();

    const auto none = list("?cursor=n9223372036854775806");
    const auto back = list("?limit=1&cursor=" + none.json_text("next_cursor"));

    EXPECT_TRUE(ids(none).empty());
    EXPECT_THAT(back, Is(200));
    EXPECT_EQ(ids(back), Ids{newest});
}

TEST_F(LongLists, LeaveNothingBehindOnAConnection) {
    constexpr std::size_t kCount = 60;
    for (int payment = 0; payment < 12; ++payment) create_long_winded();
    ASSERT_GT(list("?limit=12").body.size(), std::size_t{200} << 10);
    [[maybe_unused]] const auto before = resident_kib();

    std::vector<HttpsClient> idle;
    for (std::size_t count = 0; count < kCount; ++count) {
        idle.push_back(gateway().client());
        ASSERT_THAT(idle.back().request("GET", "/v1/payments?limit=12"), Is(200));
    }

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LT(resident_kib(), before + 200 * kCount);
#endif
}

}  // namespace
}  // namespace fencegate::contract
