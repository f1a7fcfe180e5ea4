#include "proxy/config/endpoint.hpp"

#include <gtest/gtest.h>

namespace fencegate::proxy {
namespace {

Endpoint endpoint(std::string_view text) {
    const auto parsed = parse_endpoint(text);
    EXPECT_TRUE(parsed) << text;
    return parsed.value_or(Endpoint{});
}

TEST(EndpointTest, AddressAndPortAreTakenApart) {
    EXPECT_EQ(endpoint("127.0.0.1:8443"), (Endpoint{"127.0.0.1", 8443}));
    EXPECT_EQ(endpoint("[::1]:0"), (Endpoint{"::1", 0}));
    EXPECT_EQ(endpoint("0.0.0.0:65535"), (Endpoint{"0.0.0.0", 65535}));
}

TEST(EndpointTest, OneAddressHasOneSpelling) {
    EXPECT_EQ(endpoint("[0:0:0::1]:1"), endpoint("[::1]:1"));
}

TEST(EndpointTest, TextFormIsReadBack) {
    for (const auto* text : {"127.0.0.1:8443", "[::1]:9443", "[2001:db8::7]:0"}) {
        EXPECT_EQ(to_string(endpoint(text)), text);
    }
}

TEST(EndpointTest, WhatIsNotAnEndpointIsRefused) {
    for (const std::string_view text : {"",
                                        ":",
                                        "127.0.0.1",
                                        "127.0.0.1:",
                                        ":8443",
                                        "127.0.0.1:65536",
                                        "127.0.0.1:-1",
                                        "127.0.0.1:+1",
                                        "127.0.0.1: 1",
                                        "127.0.0.1:1 ",
                                        "127.1:1",
                                        "::1:8443",
                                        "[::1]8443",
                                        "[127.0.0.1]:1",
                                        "[::1:1",
                                        "[fe80::1%eth0]:1",
                                        "localhost:8443",
                                        "256.0.0.1:1",
                                        "[]:1",
                                        "[:1",
                                        "]:1"}) {
        const auto parsed = parse_endpoint(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, ErrorCode::InvalidArgument);
    }
    EXPECT_FALSE(parse_endpoint(std::string_view("127.0.0.1\0x:1", 13)));
}

TEST(EndpointTest, LoopbackIsWhatOnlyThisMachineReaches) {
    for (const auto* text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"}) {
        EXPECT_TRUE(is_loopback(endpoint(text))) << text;
    }
    for (const auto* text :
         {"0.0.0.0:1", "[::]:1", "128.0.0.1:1", "10.0.0.1:1", "[::2]:1", "[::ffff:10.0.0.1]:1"}) {
        EXPECT_FALSE(is_loopback(endpoint(text))) << text;
    }
}

TEST(EndpointTest, WildcardIsEveryAddress) {
    EXPECT_TRUE(is_wildcard(endpoint("0.0.0.0:1")));
    EXPECT_TRUE(is_wildcard(endpoint("[0::0]:1")));
    EXPECT_FALSE(is_wildcard(endpoint("127.0.0.1:1")));
}

}  // namespace
}  // namespace fencegate::proxy
