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
    Response break_by(const Grant& grant, std::string_view token) {
        return client.request("DELETE", "/v1/locks/" + grant.lock,
                              {{"If-Fence-Token", std::string(token)}}, R"({"reason":"stuck"})");
    }
};

TEST_F(SharedLock, IsHeldByReadersTogetherEachUnderATokenOfItsOwn) {
    const auto name = fresh("lock");

    const auto first = acquire(name, kShared);
    const auto second = acquire(name, kShared);

    ASSERT_EQ(second.status, 201) << second.body;
    EXPECT_EQ(second.json_text("mode"), "shared");
    EXPECT_FALSE(second.has("permits"));
    EXPECT_GT(second.json_int("fencing_token"), first.json_int("fencing_token"));
    const auto held = lock(name);
    EXPECT_EQ(held.json_text("state"), "held");
    EXPECT_EQ(held.json_text("mode"), "shared");
    EXPECT_EQ(held.json_int("holder_count"), 2);
    EXPECT_EQ(held.json_text("/holders/0/lease_id"), first.json_text("lease_id"));
    EXPECT_EQ(held.json_text("/holders/1/lease_id"), second.json_text("lease_id"));
}

TEST_F(SharedLock, GivesNoTokenThatPassesAWrite) {
    const auto id = create_payment();
    const auto reading = reader("payments/" + id);

    const auto refused = refund(id, reading.token, 100);

    expect_problem(refused, 412, "fence_lock_mismatch");
    EXPECT_EQ(refused.json_text("lock"), reading.lock);
    EXPECT_EQ(refused.json_text("lease_mode"), "shared");
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 0);
    release(reading);
    EXPECT_EQ(refund(id, grant_payment(id).token, 100).status, 201);
}

TEST_F(SharedLock, GivesNoTokenThatCreatesAPayment) {
    const auto reading = reader(fresh("lock"));

    const auto refused =
        client.request("POST", "/v1/payments",
                       {{"Idempotency-Key", fresh("key")}, {"X-Fence-Token", reading.token}},
                       R"({"amount":1000,"currency":"EUR"})");

    expect_problem(refused, 412, "fence_lock_mismatch");
}

TEST_F(SharedLock, IsRefusedToAWriterAndAWritersToAReader) {
    const auto read = reader(fresh("lock"));
    const auto written = grant(fresh("lock"));

    const auto writer = acquire(read.lock);

    expect_problem(writer, 423, "lock_held");
    EXPECT_EQ(writer.json_int("position"), 1);
    expect_problem(acquire(written.lock, kShared), 423, "lock_held");
}

TEST_F(SharedLock, IsNotGivenToReadersThatCameAfterAWriter) {
    const auto first = reader(fresh("lock"));
    auto writer = stand_in_line(first.lock, 1);

    const auto newcomer = acquire(first.lock, kShared);
    auto behind = stand_in_line(first.lock, 2, kWaitShared);
    release(first);

    expect_problem(newcomer, 423, "lock_held");
    EXPECT_EQ(newcomer.json_int("waiters_ahead"), 1);
    const auto written = grant_of(writer.read_response());
    EXPECT_EQ(lock(first.lock).json_text("mode"), "exclusive");
    EXPECT_EQ(lock(first.lock).json_int("waiters"), 1);
    release(written);
    EXPECT_GT(std::stoll(grant_of(behind.read_response()).token), std::stoll(written.token));
}

TEST_F(SharedLock, IsTheWritersOnceItsLastReaderLeaves) {
    const auto first = reader(fresh("lock"));
    const auto second = reader(first.lock);
    auto writer = stand_in_line(first.lock, 1);

    release(second);
    EXPECT_EQ(lock(first.lock).json_int("waiters"), 1);
    release(first);

    EXPECT_EQ(writer.read_response().json_text("mode"), "exclusive");
}

TEST_F(SharedLock, LetsAllReadersInAtOnceWhenTheWriterLeaves) {
    const auto written = grant(fresh("lock"));
    std::vector<HttpsClient> readers;
    for (int place = 1; place <= 5; ++place)
        readers.push_back(stand_in_line(written.lock, place, kWaitShared));
    auto next_writer = stand_in_line(written.lock, 6);

    release(written);

    for (auto& waiting : readers) EXPECT_EQ(waiting.read_response().status, 201);
    EXPECT_EQ(lock(written.lock).json_int("holder_count"), 5);
    EXPECT_EQ(lock(written.lock).json_int("waiters"), 1) << "the writer behind them";
}

TEST_F(SharedLock, IsBrokenForTheOneReaderWhoseTokenWasSeen) {
    const auto first = reader(fresh("lock"));
    const auto second = reader(first.lock);

    const auto broken = break_by(first, first.token);

    ASSERT_EQ(broken.status, 200) << broken.body;
    EXPECT_EQ(broken.json_text("lease_id"), first.lease_id);
    EXPECT_EQ(lease(first).json_text("state"), "broken");
    EXPECT_EQ(lease(second).json_text("state"), "live");
    EXPECT_EQ(lock(first.lock).json_int("holder_count"), 1);
    const auto again = break_by(first, first.token);
    expect_problem(again, 412, "fence_token_stale");
    EXPECT_EQ(std::to_string(again.json_int("current_token")), second.token);
}

}  // namespace
}  // namespace fencegate::contract
