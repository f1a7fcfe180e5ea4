// Shared and exclusive: readers beside each other, writers alone, and a fence only writers pass.
#include "tests/contract/gateway_suite.hpp"

#include <vector>

namespace fencegate::contract {
namespace {

constexpr std::string_view kShared = R"({"mode":"shared","ttl_ms":60000})";
constexpr std::string_view kWaitShared = R"({"mode":"shared","ttl_ms":60000,"wait_ms":60000})";

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

TEST_F(SharedLock, IsNotGivenToReadersThatCameAfterAWriter) {
    const auto first = reader(fresh("lock"));
    auto writer = stand_in_line(first.lock, 1);

    EXPECT_THAT(acquire(first.lock, kShared), Refused(423, "lock_held", R"({"waiters_ahead":1})"));
    std::vector<HttpsClient> readers;
    for (int place = 2; place <= 4; ++place)
        readers.push_back(stand_in_line(first.lock, place, kWaitShared));
    release(first);

    const auto written = writer.read_response();
    EXPECT_THAT(written, Is(201, R"({"mode":"exclusive"})"));
    EXPECT_THAT(lock(first.lock), Is(200, R"({"mode":"exclusive","waiters":3})"));
    release(grant_of(written));
    for (auto& waiting : readers) EXPECT_THAT(waiting.read_response(), Is(201));
    EXPECT_THAT(lock(first.lock), Is(200, R"({"mode":"shared","holder_count":3})"));
}

TEST_F(SharedLock, IsBrokenForTheOneReaderWhoseTokenWasSeen) {
    const auto first = reader(fresh("lock"));
    const auto second = reader(first.lock);

    break_lock(first);

    EXPECT_EQ(state_of(first), "broken");
    EXPECT_EQ(state_of(second), "live");
    EXPECT_EQ(lock(first.lock).json_int("holder_count"), 1);
    EXPECT_THAT(remove("/v1/locks/" + first.lock, {{"If-Fence-Token", first.token}},
                       R"({"reason":"stuck"})"),
                Refused(412, "fence_token_stale", R"({"current_token":$})", second.token));
}

}  // namespace
}  // namespace fencegate::contract
