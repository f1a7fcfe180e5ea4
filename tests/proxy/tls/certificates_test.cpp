#include "base/start_failure.hpp"
#include "tests/proxy/tls/certificates_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace fencegate::proxy {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

TEST_F(CertificatesTest, ClientTrustingTheCaAcceptsTheServerUnderEveryHost) {
    const auto files = ensure();

    ASSERT_TRUE(files) << files.error().detail;
    EXPECT_EQ(files->ca, folder_ / "ca.pem");
    for (const auto& host : kHosts) EXPECT_EQ(verdict(kNow, host.c_str()), X509_V_OK) << host;
    EXPECT_EQ(verdict(kNow, "other.example"), X509_V_ERR_HOSTNAME_MISMATCH);
    EXPECT_EQ(verdict(kNow, "127.0.0.2"), X509_V_ERR_IP_ADDRESS_MISMATCH);
}

TEST_F(CertificatesTest, ValidityBeginsAnHourAgoAndLastsAYear) {
    ASSERT_TRUE(ensure());

    EXPECT_EQ(verdict(kNow - 59min, "localhost"), X509_V_OK);
    EXPECT_EQ(verdict(kNow - 61min, "localhost"), X509_V_ERR_CERT_NOT_YET_VALID);
    EXPECT_EQ(end_of("server.pem"), kNow - 1h + days(365));
    EXPECT_EQ(end_of("ca.pem"), kNow - 1h + days(3652));
}

TEST_F(CertificatesTest, PrivateKeysAreForTheirOwnerOnly) {
    ASSERT_TRUE(ensure());

    const auto mode = [this](const char* name) {
        return std::filesystem::status(folder_ / name).permissions();
    };
    EXPECT_EQ(mode("ca.key"), std::filesystem::perms(0600));
    EXPECT_EQ(mode("server.key"), std::filesystem::perms(0600));
    EXPECT_EQ(mode("ca.pem"), std::filesystem::perms(0644));
    EXPECT_EQ(mode("server.pem"), std::filesystem::perms(0644));
}

TEST_F(CertificatesTest, CaCannotSignAnotherCa) {
    ASSERT_TRUE(ensure());
    const auto ca = certificate_from_pem(content("ca.pem"));

    EXPECT_EQ(X509_get_pathlen(ca.get()), 0);
    EXPECT_EQ(X509_check_ca(ca.get()), 1);
    EXPECT_EQ(X509_get_key_usage(ca.get()) & KU_KEY_CERT_SIGN, std::uint32_t{KU_KEY_CERT_SIGN});
}

TEST_F(CertificatesTest, ServerCertificateIsNoCaAndForServersOnly) {
    ASSERT_TRUE(ensure());
    const auto server = certificate_from_pem(content("server.pem"));

    EXPECT_EQ(X509_check_ca(server.get()), 0);
    EXPECT_EQ(X509_get_extended_key_usage(server.get()), std::uint32_t{XKU_SSL_SERVER});
}

TEST_F(CertificatesTest, SerialsAreRandomAndPositive) {
    ASSERT_TRUE(ensure());
    const auto ca = certificate_from_pem(content("ca.pem"));
    const auto server = certificate_from_pem(content("server.pem"));
    const auto* first = X509_get0_serialNumber(ca.get());
    const auto* second = X509_get0_serialNumber(server.get());

    EXPECT_NE(ASN1_INTEGER_cmp(first, second), 0);
    EXPECT_EQ(ASN1_STRING_length(first), 20);
    EXPECT_EQ(ASN1_STRING_type(first), V_ASN1_INTEGER);  // not V_ASN1_NEG_INTEGER
}

TEST_F(CertificatesTest, SecondStartChangesNothing) {
    ASSERT_TRUE(ensure());
    const auto before = content("server.pem");

    const auto files = ensure(kNow + days(300));

    ASSERT_TRUE(files);
    EXPECT_TRUE(files->notices.empty());
    EXPECT_EQ(content("server.pem"), before);
}

TEST_F(CertificatesTest, CertificateInItsLastMonthIsReissuedForTheSameKey) {
    ASSERT_TRUE(ensure());
    const auto ca = content("ca.pem");
    const auto key = content("server.key");
    const auto later = kNow + days(340);

    const auto files = ensure(later);

    ASSERT_TRUE(files);
    EXPECT_EQ(files->notices.size(), 1U);
    EXPECT_EQ(end_of("server.pem"), later - 1h + days(365));
    EXPECT_EQ(verdict(later, "localhost"), X509_V_OK);
    EXPECT_EQ(content("ca.pem"), ca);
    EXPECT_EQ(content("server.key"), key);
}

TEST_F(CertificatesTest, ExpiredCertificateIsReissued) {
    ASSERT_TRUE(ensure());

    ASSERT_TRUE(ensure(kNow + days(500)));

    EXPECT_EQ(verdict(kNow + days(500), "localhost"), X509_V_OK);
}

TEST_F(CertificatesTest, ServerNeverOutlivesItsCa) {
    ASSERT_TRUE(ensure());

    ASSERT_TRUE(ensure(kNow + days(3600)));

    EXPECT_EQ(end_of("server.pem"), end_of("ca.pem"));
}

TEST_F(CertificatesTest, NewHostIsAddedByReissuing) {
    ASSERT_TRUE(ensure());

    ASSERT_TRUE(ensure(kNow, {"localhost", "10.1.2.3"}));

    EXPECT_EQ(verdict(kNow, "10.1.2.3"), X509_V_OK);
}

TEST_F(CertificatesTest, CommaInAHostNameIsNotASecondName) {
    ASSERT_TRUE(ensure(kNow, {"a,DNS:evil.example"}));

    EXPECT_EQ(verdict(kNow, "evil.example"), X509_V_ERR_HOSTNAME_MISMATCH);
}

// Every set of files that a crash during the first start can leave behind.
TEST_F(CertificatesTest, InterruptedFirstStartIsCompleted) {
    ASSERT_TRUE(ensure());
    const auto ca_key = content("ca.key");

    remove("server.pem");
    ASSERT_TRUE(ensure());
    EXPECT_EQ(verdict(kNow, "localhost"), X509_V_OK);

    remove("server.pem");
    remove("server.key");
    ASSERT_TRUE(ensure());
    EXPECT_EQ(verdict(kNow, "localhost"), X509_V_OK);

    for (const auto* name : {"server.pem", "server.key", "ca.pem"}) remove(name);
    ASSERT_TRUE(ensure());
    EXPECT_EQ(verdict(kNow, "localhost"), X509_V_OK);
    EXPECT_EQ(content("ca.key"), ca_key);
}

TEST_F(CertificatesTest, LostCaCertificateIsRestoredAndStillCoversTheServer) {
    ASSERT_TRUE(ensure());
    const auto server = content("server.pem");
    remove("ca.pem");

    const auto files = ensure();

    ASSERT_TRUE(files);
    EXPECT_EQ(content("server.pem"), server);
    EXPECT_EQ(verdict(kNow, "localhost"), X509_V_OK);
}

TEST_F(CertificatesTest, OperatorsOwnCertificateIsUsedAndNeverReplaced) {
    put_foreign_pair(kNow);
    const auto own = content("server.pem");

    const auto fresh = ensure(kNow);
    const auto ending = ensure(kNow + days(340));

    ASSERT_TRUE(fresh) << fresh.error().detail;
    EXPECT_TRUE(fresh->notices.empty());
    EXPECT_TRUE(fresh->ca.empty());
    ASSERT_TRUE(ending);
    EXPECT_EQ(ending->notices.size(), 1U);
    EXPECT_EQ(content("server.pem"), own);
    EXPECT_EQ(content("ca.pem"), "");
}

TEST_F(CertificatesTest, OperatorsCertificateIsKeptBesideALocalCa) {
    ASSERT_TRUE(ensure());
    put_foreign_pair(kNow);
    const auto own = content("server.pem");

    ASSERT_TRUE(ensure(kNow + days(340)));

    EXPECT_EQ(content("server.pem"), own);
}

TEST_F(CertificatesTest, WithoutTheCaKeyAnEndingCertificateIsOnlyAnnounced) {
    ASSERT_TRUE(ensure());
    remove("ca.key");

    const auto files = ensure(kNow + days(340));

    ASSERT_TRUE(files);
    ASSERT_EQ(files->notices.size(), 1U);
    EXPECT_NE(files->notices[0].find("ends at 2027-11-22T23:00:00.000Z"), std::string::npos);
}

TEST_F(CertificatesTest, KeyThatEveryoneCanReadIsAnnounced) {
    ASSERT_TRUE(ensure());
    std::filesystem::permissions(folder_ / "server.key", std::filesystem::perms(0644));

    const auto files = ensure();

    ASSERT_TRUE(files);
    ASSERT_EQ(files->notices.size(), 1U);
    EXPECT_NE(files->notices[0].find("chmod 600"), std::string::npos);
}

struct Damage {
    const char* name;
    std::vector<const char*> removed;
    const char* overwritten;  // or nullptr
    const char* with;         // a file's name, or "junk"
    const char* blamed;       // the file and fault the error names
};

class DamagedCertificatesTest : public CertificatesTest,
                                public ::testing::WithParamInterface<Damage> {};

TEST_P(DamagedCertificatesTest, RefusesNamingTheFile) {
    const auto& damage = GetParam();
    ASSERT_TRUE(ensure());
    if (damage.overwritten != nullptr) {
        const auto text = content(damage.with);
        put(damage.overwritten, text.empty() ? damage.with : text);
    }
    for (const auto* name : damage.removed) remove(name);

    const auto files = ensure(kNow + days(1));

    ASSERT_FALSE(files);
    EXPECT_EQ(start_failure_of(files.error()), StartFailure::CannotRead);
    EXPECT_NE(files.error().detail.find(damage.blamed), std::string::npos) << files.error().detail;
}

INSTANTIATE_TEST_SUITE_P(
    CertificatesTest, DamagedCertificatesTest,
    ::testing::Values(
        Damage{"ServerKeyMissing", {"server.key"}, nullptr, "", "server.key is missing beside"},
        Damage{"ServerKeyAlone",
               {"ca.pem", "ca.key", "server.pem"},
               nullptr,
               "",
               "server.pem is missing beside"},
        Damage{"CaWithoutKey",
               {"ca.key", "server.pem", "server.key"},
               nullptr,
               "",
               "ca.key is missing, so"},
        Damage{"ServerKeyOfAnother", {}, "server.key", "ca.key", "server.key is not the key of"},
        Damage{"CaKeyOfAnother", {}, "ca.key", "server.key", "ca.key is not the key of ca.pem"},
        Damage{"ServerJunk", {}, "server.pem", "junk", "server.pem is not a PEM certificate"},
        Damage{"ServerKeyJunk", {}, "server.key", "junk", "server.key is not an unencrypted PEM"},
        Damage{"CaJunk", {}, "ca.pem", "junk", "ca.pem is not a PEM certificate"},
        Damage{"CaKeyJunk", {}, "ca.key", "junk", "ca.key is not an unencrypted PEM"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(CertificatesTest, ExpiredOwnCertificateIsRefusedSayingWhen) {
    put_foreign_pair(kNow);

    const auto files = ensure(kNow + days(366));

    ASSERT_FALSE(files);
    EXPECT_NE(files.error().detail.find("server.pem expired at 2027-11-22T23:00:00.000Z"),
              std::string::npos);
}

TEST_F(CertificatesTest, ExpiredCaIsIssuedAgainOfTheSameKey) {
    ASSERT_TRUE(ensure());
    const auto key = content("ca.key");
    const auto later = kNow + days(3653);

    const auto files = ensure(later);

    ASSERT_TRUE(files) << files.error().detail;
    EXPECT_EQ(verdict(later, "localhost"), X509_V_OK);
    EXPECT_EQ(content("ca.key"), key);
    EXPECT_NE(files->notices.front().find("give it to clients again"), std::string::npos);
}

TEST_F(CertificatesTest, ExpiredCaWithoutItsKeyCannotIssue) {
    ASSERT_TRUE(ensure());
    remove("ca.key");

    const auto files = ensure(kNow + days(3653));

    ASSERT_FALSE(files);
    EXPECT_NE(files.error().detail.find("server.pem expired at"), std::string::npos);
}

// One start with the clock ahead.
TEST_F(CertificatesTest, WhatIsNotValidYetIsIssuedAgain) {
    for (const auto ahead : {std::chrono::hours(2), std::chrono::hours(24 * 3652)}) {
        for (const auto* name : {"ca.pem", "ca.key", "server.pem", "server.key"}) remove(name);
        ASSERT_TRUE(ensure(kNow + ahead));
        const auto keys = content("ca.key") + content("server.key");
        ASSERT_EQ(verdict(kNow, "localhost"), X509_V_ERR_CERT_NOT_YET_VALID);

        const auto files = ensure();

        ASSERT_TRUE(files) << files.error().detail;
        EXPECT_EQ(verdict(kNow, "localhost"), X509_V_OK);
        EXPECT_EQ(content("ca.key") + content("server.key"), keys);
        EXPECT_EQ(files->notices.size(), 2U);
    }
}

// A clock that was wrong for a while must not leave anything behind that trusting clients refuse.
TEST_F(CertificatesTest, AnOlderCopyOfTheCaStillTrustsWhatIsIssuedAgain) {
    ASSERT_TRUE(ensure());
    const auto given_to_clients = content("ca.pem");
    ASSERT_TRUE(ensure(kNow + days(3653)));
    ASSERT_TRUE(ensure(kNow + 1h));

    put("ca.pem", given_to_clients);

    EXPECT_EQ(verdict(kNow + 1h, "localhost"), X509_V_OK);
}

// One start with the clock ahead, of a folder that clients know already.
TEST_F(CertificatesTest, WhatAClockAheadIssuesAgainIsValidForClientsWhoseClocksAreRight) {
    for (const auto ahead : {days(340), days(3653)}) {
        for (const auto* name : {"ca.pem", "ca.key", "server.pem", "server.key"}) remove(name);
        ASSERT_TRUE(ensure());
        const auto given_to_clients = content("ca.pem");

        ASSERT_TRUE(ensure(kNow + ahead));

        EXPECT_EQ(verdict(kNow, "localhost"), X509_V_OK);
        EXPECT_EQ(verdict(kNow + ahead, "localhost"), X509_V_OK);
        put("ca.pem", given_to_clients);
        EXPECT_EQ(verdict(kNow, "localhost"), X509_V_OK);
    }
}

// Nothing is issued when the start is refused anyway.
TEST_F(CertificatesTest, OneThatIsOverAndNotOursIsRefusedBeforeTheCaIsIssuedAgain) {
    ASSERT_TRUE(ensure());
    put_foreign_pair(kNow);
    const auto ca = content("ca.pem");

    EXPECT_FALSE(ensure(kNow + days(3653)));

    EXPECT_EQ(content("ca.pem"), ca);
}

TEST_F(CertificatesTest, OwnCertificateThatIsNotValidYetIsAnnounced) {
    put_foreign_pair(kNow + days(1));

    const auto files = ensure();

    ASSERT_TRUE(files) << files.error().detail;
    ASSERT_EQ(files->notices.size(), 1U);
    EXPECT_NE(files->notices.front().find("is not valid before 2026-11-23T23:00:00.000Z, and it is "
                                          "2026-11-23T00:00:00.000Z"),
              std::string::npos);
}

TEST_F(CertificatesTest, DanglingLinkIsRefusedNotReplaced) {
    ASSERT_TRUE(ensure());
    remove("server.pem");
    std::filesystem::create_symlink(folder_ / "nowhere.pem", folder_ / "server.pem");

    const auto files = ensure();

    ASSERT_FALSE(files);
    EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "server.pem"));
}

TEST_F(CertificatesTest, HostsAreLoopbackTheMachineAndTheAddressListenedOn) {
    const auto hosts = certificate_hosts({"10.0.0.7", 443});
    EXPECT_EQ(std::ranges::count(hosts, "10.0.0.7"), 1);
    EXPECT_EQ(std::ranges::count(hosts, "::1"), 1);

    EXPECT_EQ(std::ranges::count(certificate_hosts({"127.0.0.1", 443}), "127.0.0.1"), 1);
    EXPECT_EQ(std::ranges::count(certificate_hosts({"0.0.0.0", 443}), "0.0.0.0"), 0);
}

}  // namespace
}  // namespace fencegate::proxy
