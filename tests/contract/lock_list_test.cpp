// The list of locks: every name once, whatever is asked for, and nothing that was not asked for.
#include "tests/contract/gateway_suite.hpp"

#include <algorithm>
#include <vector>

namespace fencegate::contract {
namespace {

class LockList : public GatewaySuite {
protected:
    // `count` locks, sixteen a lease. Returns their names in order.
    std::vector<std::string> take(std::string_view prefix, std::size_t count) {
        std::vector<std::string> names;
        for (std::size_t at = 0; at < count; at += 16) {
            std::string body;
            for (std::size_t next = at; next < std::min(at + 16, count); ++next) {
                names.push_back(fresh(prefix));
                body.append(body.empty() ? "\"" : ",\"").append(names.back()).append("\"");
            }
            const auto granted = client.request("POST", "/v1/leases", {},
                                                R"({"ttl_ms":60000,"locks":[)" + body + "]}");
            EXPECT_EQ(granted.status, 201) << granted.body;
        }
        std::ranges::sort(names);
        return names;
    }
    static std::vector<std::string> names_in(const Response& page) {
        std::vector<std::string> names;
        for (std::size_t at = 0; at < page.json_size("data"); ++at)
            names.push_back(page.json_text("/data/" + std::to_string(at) + "/lock"));
        return names;
    }
    std::vector<std::string> names_of(std::string_view query) {
        std::vector<std::string> names;
        auto target = "/v1/locks?" + std::string(query);
        for (;;) {
            const auto page = get(target);
            EXPECT_EQ(page.status, 200) << page.body;
            std::ranges::copy(names_in(page), std::back_inserter(names));
            if (!page.json_bool("has_more")) return names;
            target = "/v1/locks?" + std::string(query) + "&cursor=" + page.json_text("next_cursor");
        }
    }
};

TEST_F(LockList, ShowsEachOf250LocksExactlyOnce) {
    const auto names = take("list/lock", 250);

    for (const auto* query : {"prefix=list/&limit=100", "prefix=list/&limit=83&state=held"}) {
        SCOPED_TRACE(query);
        EXPECT_EQ(names_of(query), names);
    }
    EXPECT_EQ(names_in(get("/v1/locks?prefix=list/")).size(), 10U) << "unless told otherwise";
}

TEST_F(LockList, SaysOfEachWhoHoldsIt) {
    const auto own = grant(fresh("shown/lock"));
    auto waiting = stand_in_line(own.lock, 1);

    const auto page = get("/v1/locks?prefix=shown/");

    ASSERT_EQ(page.json_size("data"), 1U) << page.body;
    EXPECT_EQ(page.json_text("/data/0/lock"), own.lock);
    EXPECT_EQ(page.json_text("/data/0/state"), "held");
    EXPECT_EQ(page.json_text("/data/0/mode"), "exclusive");
    EXPECT_EQ(page.json_int("/data/0/waiters"), 1);
    EXPECT_EQ(page.json_text("/data/0/holder/lease_id"), own.lease_id);
    EXPECT_FALSE(page.json_bool("has_more"));
    EXPECT_FALSE(page.has("next_cursor"));
}

TEST_F(LockList, ShowsOnlyTheStateAskedFor) {
    const auto held = grant(fresh("state/a"));
    const auto freed = grant(fresh("state/b"));
    release(freed);

    EXPECT_EQ(names_of("prefix=state/&state=held"), std::vector{held.lock});
    EXPECT_EQ(names_of("prefix=state/&state=free"), std::vector{freed.lock});
    EXPECT_EQ(names_of("prefix=state/"), (std::vector{held.lock, freed.lock}));
}

TEST_F(LockList, TakesThePrefixToTheLetter) {
    const auto low = grant(fresh("pre_fix/lock"));
    grant(fresh("prexfix/lock"));
    grant(fresh("PRE_FIX/lock"));

    EXPECT_EQ(names_of("prefix=pre_"), std::vector{low.lock});
    EXPECT_EQ(names_of("prefix=" + low.lock), std::vector{low.lock});
    EXPECT_TRUE(names_of("prefix=" + low.lock + "x").empty());
}

TEST_F(LockList, RefusesAQueryItDoesNotKnow) {
    for (const auto* query : {"pefix=a", "state=resting", "state=", "limit=0", "limit=101",
                              "limit=ten", "limit=-1", "prefix=a&prefix=b"}) {
        SCOPED_TRACE(query);
        EXPECT_EQ(get("/v1/locks?" + std::string(query)).status, 400);
    }
    expect_problem(get("/v1/locks?pefix=a"), 400, "invalid_argument");
}

}  // namespace
}  // namespace fencegate::contract
