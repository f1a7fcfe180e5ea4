#include "proxy/access/principal.hpp"

#include <gtest/gtest.h>

namespace fencegate::proxy {
namespace {

ScopeSet scopes(const std::vector<std::string>& texts) {
    const auto parsed = parse_scopes(texts);
    EXPECT_TRUE(parsed);
    return parsed.value_or(ScopeSet());
}

TEST(ScopeSetTest, HoldsExactlyWhatIsNamed) {
    const auto some = scopes({"locks:write", "payments:read"});

    EXPECT_TRUE(some.has(Scope::LocksWrite));
    EXPECT_TRUE(some.has(Scope::PaymentsRead));
    for (const auto other :
         {Scope::LocksRead, Scope::PaymentsWrite, Scope::MetricsRead, Scope::Admin}) {
        EXPECT_FALSE(some.has(other));
    }
}

TEST(ScopeSetTest, StarIsEveryScope) {
    const auto all = scopes({"locks:read", "*"});

    EXPECT_EQ(all, ScopeSet::all());
    EXPECT_TRUE(all.has(Scope::Admin));
}

TEST(ScopeSetTest, NamingEveryScopeIsNotStar) {
    const auto named = scopes(
        {"locks:read", "locks:write", "payments:read", "payments:write", "metrics:read", "admin"});

    EXPECT_NE(named, ScopeSet::all());
    EXPECT_EQ(to_texts(named).size(), 6U);
}

TEST(ScopeSetTest, TextsAreReadBack) {
    for (const std::vector<std::string>& texts : {std::vector<std::string>{"*"},
                                                  {"locks:read"},
                                                  {"locks:write", "metrics:read", "admin"}}) {
        EXPECT_EQ(to_texts(scopes(texts)), texts);
    }
}

TEST(ScopeSetTest, UnknownOrNoScopeIsRefused) {
    for (const std::vector<std::string>& texts :
         {std::vector<std::string>{}, {""}, {"LOCKS:READ"}, {"locks"}, {"admin", "root"}}) {
        const auto parsed = parse_scopes(texts);
        ASSERT_FALSE(parsed);
        EXPECT_EQ(parsed.error().code, ErrorCode::InvalidArgument);
    }
}

TEST(PrincipalTest, NameIsAShortPlainWord) {
    for (const std::string_view name : {"a", "billing-worker.2_x", "A9"}) {
        EXPECT_TRUE(is_principal_name(name)) << name;
    }
    EXPECT_TRUE(is_principal_name(std::string(64, 'x')));
    EXPECT_FALSE(is_principal_name(std::string(65, 'x')));
    for (const std::string_view name : {"", " ", "a b", "a/b", "a\"b", "\xc3\xa4", "a\n"}) {
        EXPECT_FALSE(is_principal_name(name)) << name;
    }
}

}  // namespace
}  // namespace fencegate::proxy
