// Shared and exclusive: readers beside each other, writers alone, and a fence only writers pass.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

constexpr std::string_view kShared = R"({"mode":"shared","ttl_ms":60000})";

class SharedLock : public GatewaySuite {
protected:
    Grant reader(std::string_view lock) { return grant_of(acquire(lock, kShared)); }
};

TEST_F(SharedLock, IsHeldByReadersTogetherEachUnderATokenOfItsOwn) {
    const auto first = reader(fresh("lock"));

    const auto second = acquire(first.lock, kShared);

    EXPECT_THAT(second, Is(201, R"({"mode":"shared","permits":"<absent>","fencing_token":"<$..>"})",
                           first.token));
    EXPECT_THAT(lock(first.lock), Is(200,
                                     R"({"state":"held","mode":"shared","holder_count":2,)"
                                     R"("holders":[{"lease_id":"$"},{"lease_id":"$"}]})",
                                     first.lease_id, second.json_text("lease_id")));
}

TEST_F(SharedLock, GivesNoTokenThatPassesAWrite) {
    const auto id = create_payment();
    const auto reading = reader("payments/" + id);

    EXPECT_THAT(
        refund(id, reading.token, 100),
        Refused(412, "fence_lock_mismatch", R"({"lock":"$","lease_mode":"shared"})", reading.lock));
    EXPECT_THAT(post("/v1/payments", R"({"amount":1000,"currency":"EUR"})", fenced(reading.token)),
                Refused(412, "fence_lock_mismatch"));
    EXPECT_EQ(refunded(id), 0);
}

TEST_F(SharedLock, IsRefusedToAWriterAndAWritersToAReader) {
    const auto read = reader(fresh("lock"));
    const auto written = grant(fresh("lock"));

    EXPECT_THAT(acquire(read.lock), Refused(423, "lock_held", R"({"position":1})"));
    EXPECT_THAT(acquire(written.lock, kShared), Refused(423, "lock_held"));
}

}  // namespace
}  // namespace fencegate::contract
