#include "base/digest.hpp"

#include "base/hex.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace fencegate {
namespace {

TEST(DigestTest, PlainDigestIsTheStandardOne) {
    // FIPS 180-2, appendix B.1.
    EXPECT_EQ(to_hex(sha256_of("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(DigestTest, PartsCannotRunIntoOneAnother) {
    EXPECT_NE(sha256({"ab", "c"}), sha256({"a", "bc"}));
    EXPECT_NE(sha256({"abc"}), sha256({"abc", ""}));
    EXPECT_NE(sha256({"", "abc"}), sha256({"abc", ""}));
}

TEST(DigestTest, EncodingOfPartsNeverChanges) {
    // Stored idempotency fingerprints depend on it: 8 bytes big-endian length, then the part.
    const std::string_view encoded("\0\0\0\0\0\0\0\4POST\0\0\0\0\0\0\0\1/", 21);

    EXPECT_EQ(sha256({"POST", "/"}), sha256_of(encoded));
}

TEST(DigestTest, ContextIsCleanForTheNextDigest) {
    const auto before = sha256_of("abc");

    (void)sha256({"something", "else"});

    EXPECT_EQ(sha256_of("abc"), before);
}

TEST(DigestTest, ThreadsAgree) {
    Sha256 elsewhere{};

    std::jthread([&] { elsewhere = sha256({"a", "b"}); }).join();

    EXPECT_EQ(elsewhere, sha256({"a", "b"}));
}

TEST(DigestTest, AnySingleDifferentByteIsADifference) {
    const auto digest = sha256_of("abc");
    EXPECT_TRUE(equal_in_constant_time(digest, sha256_of("abc")));

    for (std::size_t at = 0; at < digest.size(); ++at) {
        auto changed = digest;
        changed[at] ^= 0x01;
        EXPECT_FALSE(equal_in_constant_time(digest, changed)) << "byte " << at;
    }
}

}  // namespace
}  // namespace fencegate
