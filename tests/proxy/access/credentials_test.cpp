#include "proxy/access/credentials.hpp"

#include <gtest/gtest.h>

#include <array>

namespace fencegate::proxy {
namespace {

std::string key_of(std::uint64_t id, std::uint8_t secret_byte) {
    std::array<std::uint8_t, 32> secret;
    secret.fill(secret_byte);
    return key_text(KeyId{id}, secret);
}

KeyRecord record(const std::string& name, std::uint64_t id, const std::string& key) {
    return {KeyId{id}, {name, ScopeSet::all()}, sha256_of(key), "2026-11-23T00:00:00.000Z"};
}

class CredentialsTest : public ::testing::Test {
protected:
    const std::string alice_key_ = key_of(0xfedcba987654, 1);
    const std::string bob_key_ = key_of(0x000000000001, 2);
    const Credentials credentials_{
        {record("alice", 0xfedcba987654, alice_key_), record("bob", 0x000000000001, bob_key_)}};
};

TEST_F(CredentialsTest, KeyTextHasItsDocumentedForm) {
    EXPECT_EQ(alice_key_.size(), 81U);
    EXPECT_EQ(
        bob_key_, "fgk_000000000001_" + [] {
            std::string secret;
            for (int at = 0; at < 32; ++at) secret += "02";
            return secret;
        }());
}

TEST_F(CredentialsTest, KeyNamesItsPrincipal) {
    const auto* alice = credentials_.authenticate(alice_key_);
    const auto* bob = credentials_.authenticate(bob_key_);

    ASSERT_NE(alice, nullptr);
    ASSERT_NE(bob, nullptr);
    EXPECT_EQ(alice->name, "alice");
    EXPECT_EQ(bob->name, "bob");
}

TEST_F(CredentialsTest, EverySecretDigitCounts) {
    for (std::size_t at = alice_key_.size() - 64; at < alice_key_.size(); ++at) {
        auto wrong = alice_key_;
        wrong[at] = wrong[at] == '0' ? '1' : '0';
        EXPECT_EQ(credentials_.authenticate(wrong), nullptr) << "digit " << at;
    }
}

TEST_F(CredentialsTest, SecretOfAnotherKeyIsNoUse) {
    const auto mixed = alice_key_.substr(0, 17) + bob_key_.substr(17);

    EXPECT_EQ(credentials_.authenticate(mixed), nullptr);
}

TEST_F(CredentialsTest, UnknownIdIsNobody) {
    EXPECT_EQ(credentials_.authenticate(key_of(2, 2)), nullptr);
    EXPECT_EQ(Credentials({}).authenticate(alice_key_), nullptr);
}

TEST_F(CredentialsTest, WhatIsNotExactlyAKeyIsNobody) {
    auto upper = alice_key_;
    upper[4] = 'F';
    for (const auto& text : {std::string(), std::string("fgk_"), " " + alice_key_, alice_key_ + " ",
                             alice_key_.substr(0, 80), upper, std::string(81, 'a')}) {
        EXPECT_EQ(credentials_.authenticate(text), nullptr) << text;
    }
}

TEST_F(CredentialsTest, PrincipalStaysWhereItIsWhenTheSnapshotMoves) {
    Credentials first({record("alice", 0xfedcba987654, alice_key_)});
    const auto* before = first.authenticate(alice_key_);

    const auto second = std::move(first);

    EXPECT_EQ(second.authenticate(alice_key_), before);
}

TEST(KeyIdTest, TextIsReadBackAndNothingElseIsRead) {
    EXPECT_EQ(parse_key_id(to_string(KeyId{0x00ab12cd34ef})), KeyId{0x00ab12cd34ef});
    for (const std::string_view text : {"", "00ab12cd34e", "00ab12cd34eff", "00AB12CD34EF",
                                        "00ab12cd34eg", "-0ab12cd34ef", "0x0b12cd34ef"}) {
        EXPECT_FALSE(parse_key_id(text)) << text;
    }
}

}  // namespace
}  // namespace fencegate::proxy
