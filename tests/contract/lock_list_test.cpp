// The list of locks: every name once, whatever is asked for, and nothing that was not asked for.
#include "tests/contract/gateway_suite.hpp"

#include <algorithm>

namespace fencegate::contract {
namespace {

class LockList : public GatewaySuite {
protected:
    static Texts names_in(const Response& page) {
        Texts names;
        for (std::size_t at = 0; at < page.json_size("data"); ++at)
            names.push_back(page.json_text("/data/" + std::to_string(at) + "/lock"));
        return names;
    }
    Texts names_of(std::string_view query) {
        Texts names;
        std::string more;
        for (;;) {
            const auto page = get(filled("/v1/locks?$$", query, more));
            std::ranges::copy(names_in(page), std::back_inserter(names));
            if (!page.json_bool("has_more")) return names;
            more = "&cursor=" + page.json_text("next_cursor");
        }
    }
};

TEST_F(LockList, ShowsEachOf250LocksExactlyOnce) {
    Texts names;
    for (int lease = 0; lease < 25; ++lease) {
        Texts ten;
        for (int lock = 0; lock < 10; ++lock) ten.push_back(fresh("list/lock"));
        ASSERT_THAT(acquire_all(ten, R"(,"ttl_ms":60000)"), Is(201));
        std::ranges::copy(ten, std::back_inserter(names));
    }
    std::ranges::sort(names);

    for (const auto* query : {"prefix=list/&limit=100", "prefix=list/&limit=83&state=held"})
        EXPECT_EQ(names_of(query), names) << query;
    EXPECT_EQ(names_in(get("/v1/locks?prefix=list/")).size(), 10U) << "unless told otherwise";
}

TEST_F(LockList, SaysOfEachWhoHoldsIt) {
    const auto own = grant(fresh("shown/lock"));
    auto waiting = stand_in_line(own.lock, 1);

    EXPECT_THAT(get("/v1/locks?prefix=shown/"),
                Is(200,
                   R"({"data":[{"lock":"$","state":"held","mode":"exclusive","waiters":1,)"
                   R"("holder":{"lease_id":"$"}}],"has_more":false,"next_cursor":"<absent>"})",
                   own.lock, own.lease_id));
}

TEST_F(LockList, ShowsOnlyTheStateAskedFor) {
    const auto held = grant(fresh("state/a"));
    const auto freed = grant(fresh("state/b"));
    release(freed);

    EXPECT_EQ(names_of("prefix=state/&state=held"), Texts{held.lock});
    EXPECT_EQ(names_of("prefix=state/&state=free"), Texts{freed.lock});
    EXPECT_EQ(names_of("prefix=state/"), (Texts{held.lock, freed.lock}));
}

TEST_F(LockList, TakesThePrefixToTheLetter) {
    const auto low = grant(fresh("pre_fix/lock"));
    grant(fresh("prexfix/lock"));
    grant(fresh("PRE_FIX/lock"));

    EXPECT_EQ(names_of("prefix=pre_"), Texts{low.lock});
    EXPECT_EQ(names_of("prefix=" + low.lock), Texts{low.lock});
    EXPECT_TRUE(names_of("prefix=" + low.lock + "x").empty());
}

}  // namespace
}  // namespace fencegate::contract
