// Lists of payments: pages in both directions, filters, references, and the Link header.
#include "tests/contract/watcher.hpp"

#include <algorithm>

namespace fencegate::contract {
namespace {

class PaymentLists : public GatewaySuite {
protected:
    Response list(const std::string& query) { return get("/v1/payments" + query); }
    // The page that a cursor of this one leads to.
    Response beside(const Response& page, std::string_view cursor) {
        return list("?limit=1&cursor=" + page.json_text(cursor));
    }
    static Texts ids(const Response& page) {
        Texts all;
        for (std::size_t at = 0; at < page.json_size("data"); ++at)
            all.push_back(page.json_text("/data/" + std::to_string(at) + "/id"));
        return all;
    }
    // Whether the payment is in the list.
    bool is_in(const std::string& query, const std::string& id) {
        return std::ranges::count(ids(list("?limit=100&" + query)), id) == 1;
    }
};

TEST_F(PaymentLists, GoForthAndBackInTheOrderOfCreation) {
    const Texts made{create_payment(), create_payment(), create_payment()};
    const auto has = [&](std::size_t which, std::string_view previous) {
        return Is(200, R"({"data":[{"id":"$"}],"previous_cursor":"$"})", made[which], previous);
    };

    const auto newest = list("?limit=1");
    const auto middle = beside(newest, "next_cursor");
    const auto oldest = beside(middle, "next_cursor");
    const auto back = beside(oldest, "previous_cursor");

    EXPECT_THAT(newest, has(2, "<absent>"));
    EXPECT_THAT(newest, Says(R"({"has_more":true})"));
    EXPECT_THAT(middle, has(1, "<text>"));
    EXPECT_THAT(oldest, has(0, "<text>"));
    EXPECT_THAT(back, has(1, "<text>"));
    EXPECT_THAT(beside(back, "previous_cursor"), has(2, "<absent>")) << "nothing is newer";
}

TEST_F(PaymentLists, APageStaysWhatItWasWhilePaymentsCome) {
    create_payment();
    const auto old = create_payment();
    create_payment();
    const auto first = list("?limit=1");

    const auto before = beside(first, "next_cursor");
    create_payment();

    EXPECT_EQ(ids(before), Texts{old});
    EXPECT_EQ(ids(beside(first, "next_cursor")), Texts{old});
}

TEST_F(PaymentLists, LinkLeadsToThePagesBesideIt) {
    for (int payment = 0; payment < 3; ++payment) create_payment();

    const auto first = list("?limit=1");
    const auto second = beside(first, "next_cursor");

    const auto link = [](const Response& page, std::string_view cursor, std::string_view rel) {
        return filled(R"(</v1/payments?limit=1&cursor=$>; rel="$")", page.json_text(cursor), rel);
    };
    EXPECT_EQ(first.header("Link"), link(first, "next_cursor", "next"));
    EXPECT_EQ(second.header("Link"),
              link(second, "next_cursor", "next") + ", " + link(second, "previous_cursor", "prev"));
}

TEST_F(PaymentLists, OfAStatusLeaveOutTheOthers) {
    const auto held = create_payment(false);
    const auto captured = create_payment();

    EXPECT_TRUE(is_in("status=authorized", held));
    EXPECT_FALSE(is_in("status=authorized", captured));
    EXPECT_TRUE(is_in("status=captured", captured));
    EXPECT_FALSE(is_in("status=captured", held));
}

TEST_F(PaymentLists, OfATimeTakeItsBeginningAndNotItsEnd) {
    const auto id = create_payment();
    const auto at = payment(id).json_text("created_at");

    EXPECT_TRUE(is_in("created_from=" + at, id));
    EXPECT_FALSE(is_in("created_to=" + at, id));
    for (const auto* query :
         {"?created_to=2001-01-01T00:00:00Z", "?created_from=2999-01-01T00:00:00%2B01:00"})
        EXPECT_THAT(list(query), Is(200, R"({"data":[]})")) << query;
}

TEST_F(PaymentLists, OfAReferenceHaveTheOnePaymentOfThePrincipal) {
    const auto reference = fresh("order");
    const auto made =
        post("/v1/payments", filled(R"({"amount":5,"currency":"EUR","reference":"$"})", reference),
             {{"Idempotency-Key", fresh("key")}});

    EXPECT_EQ(ids(list("?reference=" + reference)), Texts{made.json_text("id")});
    for (const auto& query :
         {"?status=refunded&reference=" + reference, std::string("?reference=none")})
        EXPECT_THAT(list(query), Is(200, R"({"data":[]})")) << query;
    EXPECT_THAT(
        as("other", {"payments:read"}).request("GET", "/v1/payments?reference=" + reference),
        Is(200, R"({"data":[]})"));
}

TEST_F(PaymentLists, ACursorAtTheEndOfNumbersLeadsBack) {
    const auto newest = create_payment();

    const auto none = list("?cursor=n9223372036854775806");

    EXPECT_THAT(none, Is(200, R"({"data":[]})"));
    EXPECT_EQ(ids(beside(none, "next_cursor")), Texts{newest});
}

// Who has read a long list and keeps the connection.
class LongLists : public PaymentLists {
protected:
    void create_long_winded(int count) {
        std::string metadata;
        for (int member = 0; member < 50; ++member)
            metadata +=
                filled(R"($"m$":"$")", member == 0 ? "" : ",", member, std::string(500, 'v'));
        for (int payment = 0; payment < count; ++payment)
            ASSERT_THAT(post("/v1/payments",
                             filled(R"({"amount":100,"currency":"EUR","metadata":{$}})", metadata),
                             {{"Idempotency-Key", fresh("long")}}),
                        Is(201));
    }
};

TEST_F(LongLists, ComeInShorterPages) {
    const auto oldest = create_payment();
    create_long_winded(20);

    const auto first = list("?limit=21");
    const auto second = list("?limit=21&cursor=" + first.json_text("next_cursor"));

    EXPECT_LT(first.body.size(), std::size_t{300} << 10);
    EXPECT_LT(ids(first).size(), 20U);
    EXPECT_EQ(ids(first).size() + ids(second).size(), 21U);
    EXPECT_EQ(ids(second).back(), oldest);
    EXPECT_FALSE(second.json_bool("has_more"));
}

TEST_F(LongLists, LeaveNothingBehindOnAConnection) {
    constexpr std::size_t kCount = 60;
    create_long_winded(12);
    ASSERT_GT(list("?limit=12").body.size(), std::size_t{200} << 10);
    [[maybe_unused]] const auto before = resident_kib(gateway());

    std::vector<HttpsClient> idle;
    for (std::size_t count = 0; count < kCount; ++count) {
        idle.push_back(gateway().client());
        ASSERT_EQ(idle.back().request("GET", "/v1/payments?limit=12").status, 200);
    }

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LT(resident_kib(gateway()), before + 200 * kCount);
#endif
}

}  // namespace
}  // namespace fencegate::contract
