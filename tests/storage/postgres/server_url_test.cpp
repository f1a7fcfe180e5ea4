// What an operator may write for the server, and what is made of it.
#include "storage/postgres/server_url.hpp"

#include <gtest/gtest.h>

namespace fencegate::storage::postgres {
namespace {

TEST(ServerUrl, AHostElsewhereMustProveWhoItIs) {
    const auto silent = ServerUrl::parse("postgresql://me@db.example/store");
    ASSERT_TRUE(silent);
    EXPECT_EQ(*silent->find("sslmode"), "verify-full");
    EXPECT_TRUE(ServerUrl::parse("postgresql://me@db.example/store?sslmode=verify-full"));
    for (const auto* mode : {"disable", "prefer", "require", "verify-ca"})
        EXPECT_FALSE(
            ServerUrl::parse("postgresql://me@db.example/store?sslmode=" + std::string(mode)))
            << mode;
}

TEST(ServerUrl, AHostOfThisMachineNeedNot) {
    for (const auto* url : {"host=/run/postgresql dbname=store", "postgresql://localhost/store",
                            "postgresql://127.0.0.1/store?sslmode=disable",
                            "host=db.example hostaddr=127.0.0.1 dbname=store"})
        EXPECT_TRUE(ServerUrl::parse(url)) << url;
    EXPECT_FALSE(ServerUrl::parse("host=localhost hostaddr=10.0.0.1 sslmode=disable"));
}

TEST(ServerUrl, ItNamesOneServer) {
    for (const auto* url :
         {"", "dbname=store", "service=store", "postgresql://a.example,b.example/x",
          "host=a.example hostaddr=10.0.0.1,10.0.0.2"})
        EXPECT_FALSE(ServerUrl::parse(url)) << url;
}

TEST(ServerUrl, ARefusalDoesNotRepeatThePassword) {
    for (const auto* url : {"postgresql://me:secret@a.example,b.example/x",
                            "postgresql://me:secret@a.example/x?nothing=1", "password=secret x"}) {
        const auto refused = ServerUrl::parse(url);
        ASSERT_FALSE(refused) << url;
        EXPECT_EQ(refused.error().detail.find("secret"), std::string::npos) << url;
    }
    const auto taken = ServerUrl::parse("postgresql://me:secret@a.example/x");
    EXPECT_EQ(taken->place(), "\"x\" on a.example");
}

TEST(ServerUrl, AServerThatIsGoneIsNoticedSoonUnlessToldOtherwise) {
    EXPECT_EQ(*ServerUrl::parse("host=/tmp")->find("connect_timeout"), "5");
    EXPECT_EQ(*ServerUrl::parse("host=/tmp connect_timeout=9")->find("connect_timeout"), "9");
}

}  // namespace
}  // namespace fencegate::storage::postgres
