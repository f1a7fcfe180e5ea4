// One table decides for every listener what a path is, who is told 404 and who 405.
#include "proxy/http/route_table.hpp"

#include <gtest/gtest.h>

namespace fencegate::proxy {
namespace {

Result<Asked> build_nothing(const RouteRequest&) { return ShowHealth{}; }

constexpr Route kThings[] = {
    {"GET", "/things/all", std::nullopt, build_nothing},
    {"GET", "/things/{name...}", std::nullopt, build_nothing},
    {"POST", "/things/{name...}", std::nullopt, build_nothing},
};
constexpr Route kPairs[] = {
    {"GET", "/pairs/{first}/{second}", std::nullopt, build_nothing},
    {"PUT", "/pairs/{first}/{second}/done", std::nullopt, build_nothing},
};
constexpr RouteId kFirstId = 7;

const RouteTable& table() {
    static const RouteTable made(Listener::Admin, kFirstId, "There is none.", {kThings, kPairs});
    return made;
}

Result<RouteMatch> match(std::string_view method, std::string_view path) {
    const auto target = parse_target(path);
    EXPECT_TRUE(target) << path;
    return table().match(method, *target);
}

TEST(RouteTable, GivesTheParametersInTheOrderOfThePattern) {
    const auto one = match("GET", "/pairs/left/right");
    const auto rest = match("POST", "/things/a/b/c");

    ASSERT_TRUE(one && rest);
    EXPECT_EQ(one->parameters, (Parameters{"left", "right"}));
    EXPECT_EQ(rest->parameters, (Parameters{"a/b/c"}));
}

TEST(RouteTable, TakesTheFirstRouteThatFits) {
    const auto fixed = match("GET", "/things/all");
    const auto open = match("GET", "/things/all/of/them");

    ASSERT_TRUE(fixed && open);
    EXPECT_EQ(fixed->route->pattern, "/things/all");
    EXPECT_EQ(open->route->pattern, "/things/{name...}");
}

TEST(RouteTable, NumbersItsRoutesAcrossItsParts) {
    const auto last = match("PUT", "/pairs/left/right/done");

    ASSERT_TRUE(last);
    EXPECT_EQ(last->id, kFirstId + 4);
    EXPECT_EQ(table().end_id(), kFirstId + 5);
    const auto labels = route_labels({&table()});
    ASSERT_EQ(labels.size(), 6U);
    EXPECT_EQ(labels.front().name, "unmatched");
    EXPECT_EQ(labels.back().name, last->route->pattern);
    EXPECT_EQ(labels.back().listener, Listener::Admin);
}

TEST(RouteTable, TellsAnotherMethodFromNoPath) {
    const auto method = match("PATCH", "/pairs/left/right/done");
    const auto path = match("GET", "/pairs/left");

    ASSERT_TRUE(!method && !path);
    EXPECT_EQ(method.error().code, ErrorCode::MethodNotAllowed);
    EXPECT_EQ(method.error().detail, "This path takes PUT.");
    EXPECT_EQ(path.error().code, ErrorCode::RouteNotFound);
    EXPECT_EQ(path.error().detail, "There is none.");
}

TEST(RouteTable, NamesAMethodOnceThatTwoRoutesOfThePathTake) {
    const auto refused = match("PATCH", "/things/all");

    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().detail, "This path takes GET, POST.");
}

}  // namespace
}  // namespace fencegate::proxy
