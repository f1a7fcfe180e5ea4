// A batch that cannot commit runs again one by one: whoever is at fault is left out or refused, and
// nobody else notices. See batcher_one_by_one.cpp.
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/stored_pages.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <string>

namespace fencegate::testing {
namespace {

using storage::StoreError;

class OneByOne : public ::testing::Test {
protected:
    // From now on the store refuses what no rule of ours would.
    void refuse(const std::string& writes) {
        store.connection->exec(("CREATE TEMP TRIGGER sabotage BEFORE " + writes +
                                " BEGIN SELECT RAISE(ABORT, 'sabotage'); END")
                                   .c_str());
        ASSERT_FALSE(store.connection->failure());
    }
    [[nodiscard]] bool is_held(const char* lock) const {
        return store.store->live().holdings().find(*lockmgr::LockName::parse(lock)) != nullptr;
    }

    StoreHarness store;
};

TEST_F(OneByOne, WhoCameInTimeIsNotLateBecauseANeighbourIsRefused) {
    store.clock.on_step([this] { store.store->look(); });
    store.create("pay_1", 1'000);
    const auto grant = *store.acquire("payments/pay_1", {.ttl_ms = 1'000});
    store.acquire("payments/pay_1", {.owner = "next", .wait_ms = 60'000});
    const auto waiter = store.last_ticket();
    refuse("INSERT ON payments");
    store.clock.advance(Duration(950));
    const auto came = store.clock.boot_now();
    store.clock.advance(Duration(400));
    storage::CreatePayment create;
    create.id = "pay_2";
    create.currency = "EUR";
    create.amount_minor = 5;
    create.idempotency = idempotency("create");
    const std::vector<storage::Request> requests{
        {storage::Ticket(9'001),
         nullptr,
         {"worker", "r1", StoreHarness::refund_of("pay_1", grant.fencing_token)},
         came},
        {storage::Ticket(9'002), nullptr, {"worker", "r2", create}, came}};

    std::map<std::uint64_t, storage::Answer> answers;
    for (auto& routed : store.store->run(requests, {}, came))
        answers[routed.delivery.ticket.value()] = std::move(routed.delivery.answer);

    EXPECT_FALSE(answers.at(9'001).error) << answers.at(9'001).error->detail;
    EXPECT_EQ(code_of(answers.at(9'002)), ErrorCode::Internal);
    EXPECT_FALSE(answers.contains(waiter));
}

// More than are left out in one go, and one of them leaves before it was told.
TEST_F(OneByOne, EveryWaiterThatCannotBeGrantedIsAnsweredOnce) {
    constexpr int kWaiters = 300;
    const auto grant = *store.acquire("a", {.ttl_ms = 3'000'000});
    for (int at = 0; at < kWaiters; ++at)
        ASSERT_FALSE(store.acquire(
            "a", {.owner = "doomed", .wait_ms = 1'000'000, .key = "k" + std::to_string(at)}));
    const storage::Ticket leaves(store.last_ticket() - 7);
    refuse("INSERT ON leases WHEN NEW.owner = 'doomed'");
    const std::vector<storage::Request> release{
        {storage::Ticket(9'001),
         nullptr,
         {"worker", "r", storage::ReleaseLease{*parse_uuid(grant.resource_id)}}}};

    std::map<std::uint64_t, int> told;
    std::map<ErrorCode, int> codes;
    for (auto& routed : store.store->run(release, std::vector{leaves})) {
        ++told[routed.delivery.ticket.value()];
        if (routed.delivery.answer.error) ++codes[routed.delivery.answer.error->code];
    }

    EXPECT_EQ(told.size(), kWaiters + 1u);
    for (const auto& [ticket, times] : told) EXPECT_EQ(times, 1) << ticket;
    EXPECT_EQ(codes[ErrorCode::Internal], kWaiters - 1);
    EXPECT_EQ(codes[ErrorCode::RequestTimeout], 1);
    EXPECT_FALSE(is_held("a")) << "the release is nobody's fault";
}

TEST_F(OneByOne, ALeaseThatCannotEndKeepsNoOtherFromEnding) {
    store.acquire("stuck", {.owner = "stuck", .ttl_ms = 1'000});
    store.acquire("a", {.ttl_ms = 1'500});
    refuse("UPDATE OF state ON leases WHEN OLD.owner = 'stuck'");

    store.tick(Duration(2'000));

    EXPECT_TRUE(is_held("stuck"));
    EXPECT_FALSE(is_held("a"));
    store.connection->exec("DROP TRIGGER sabotage");
    store.tick(Duration(11'000));
    EXPECT_FALSE(is_held("stuck"));
}

// Each is looked at by the upkeep alone.
class DamagedUpkeep : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(OneByOne, DamagedUpkeep,
                         ::testing::Values("running_hour", "hours", "open_holds"));

TEST_P(DamagedUpkeep, PausesAndEverythingElseGoesOn) {
    StoreHarness store;
    store.create("pay_1", 100, false);
    store.create("pay_2", 100);
    store.store->close();
    store.reopen();
    for (int round = 0; round < 50; ++round) store.tick(Duration(50));
    store.acquire("a", {.ttl_ms = 100'000});
    store.store->close();
    store.reopen();
    const auto find =
        "SELECT rootpage FROM sqlite_schema WHERE name = '" + std::string(GetParam()) + "'";
    const auto root = static_cast<std::uint32_t>(store.number(find.c_str()));
    flip_bit(store.folder() / "store.db", root, 4'000);
    ::sqlite3_db_release_memory(store.connection->handle());

    EXPECT_FALSE(store.payment("pay_2").error);
    EXPECT_FALSE(store.create("pay_3", 5).error);
    for (int second = 0; second < 7'200; ++second) store.tick(Duration(1'000));

    EXPECT_FALSE(store.store->live().holdings().find(*lockmgr::LockName::parse("a")))
        << "a lease that nobody renewed";
    EXPECT_FALSE(store.payment("pay_2").error);
    EXPECT_FALSE(store.create("pay_4", 5).error);
    EXPECT_GT(std::ranges::count(store.observer.errors, StoreError::Damaged), 0);
    EXPECT_LT(store.observer.errors.size(), 2 * 130u) << "once a minute, not in every batch";
}

}  // namespace
}  // namespace fencegate::testing
