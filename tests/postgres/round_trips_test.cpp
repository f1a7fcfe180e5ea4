// How often a batch waits for the server, which is what its speed depends on beside the disk.
#include "storage/batch/batcher.hpp"
#include "storage/model/operation.hpp"
#include "tests/postgres/postgres_makers.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using storage::Operation;

class RoundTrips : public ::testing::Test {
public:  // the tests name the methods below
    // Of one batch; its answers are kept.
    std::int64_t of(std::vector<Operation> operations) {
        std::vector<storage::Request> requests;
        for (auto& operation : operations) {
            storage::Command command{"p", "r", std::move(operation)};
            if (const auto* key = storage::idempotency_of(command.operation)) {
                auto own = *key;
                own.digest = storage::key_digest("p", own.key);
                attach(command.operation, std::move(own));
            }
            requests.push_back({storage::Ticket(++last_), nullptr, std::move(command)});
        }
        const auto before = connection.round_trips();
        answers.clear();
        for (auto& routed : batcher.run(requests, {})) {
            EXPECT_FALSE(routed.delivery.answer.error);
            answers.push_back(std::move(routed.delivery.answer));
        }
        return connection.round_trips() - before;
    }
    static std::string id(int number) { return "pay_" + std::to_string(number); }
    Operation create(int number) {
        return storage::CreatePayment{.id = id(number),
                                      .currency = "EUR",
                                      .amount_minor = 1'000,
                                      .capture = true,
                                      .reference = "",
                                      .metadata_json = {},
                                      .token = lockmgr::kNoToken,
                                      .idempotency = idempotency("create-" + id(number), "c")};
    }
    static Operation acquire(int number) {
        storage::AcquireLock acquire;
        acquire.locks = {*lockmgr::LockName::parse("payments/" + id(number))};
        acquire.ttl = Duration(60'000);
        return acquire;
    }
    Operation refund(int number) {
        return storage::MovePayment{.kind = storage::MovePayment::Kind::Refund,
                                    .payment_id = id(number),
                                    .amount_minor = 1,
                                    .reason = "r",
                                    .token = tokens.at(static_cast<std::size_t>(number)),
                                    .idempotency = idempotency("refund-" + id(number), "r")};
    }
    Operation release(int number) {
        return storage::ReleaseLease{leases.at(static_cast<std::size_t>(number))};
    }
    // `count` operations made by `make`, from `first` on.
    template <class Make>
    std::int64_t batch(int first, int count, Make make) {
        std::vector<Operation> operations;
        for (int number = first; number < first + count; ++number)
            operations.push_back((this->*make)(number));
        return of(std::move(operations));
    }
    std::int64_t grant(int first, int count) {
        std::vector<Operation> operations;
        for (int number = first; number < first + count; ++number)
            operations.push_back(acquire(number));
        const auto trips = of(std::move(operations));
        for (const auto& answer : answers) {
            tokens.emplace_back(*answer.fencing_token);
            leases.push_back(*parse_uuid(answer.resource_id));
        }
        return trips;
    }

    const std::string url = cluster().make_database();
    ManualClock clock;
    SeededRandom random;
    storage::StoreObserver nobody;
    storage::Batcher batcher{
        open_store(url, "gateway", clock), lockmgr::LockClasses({}), {}, clock, random, nobody};
    const storage::postgres::Connection& connection =
        dynamic_cast<storage::postgres::PostgresStore&>(batcher.store()).connection();
    std::vector<storage::Answer> answers;
    std::vector<lockmgr::PresentedToken> tokens;
    std::vector<Uuid> leases;
    std::uint64_t last_ = 0;
};

// A row that is read costs one, whatever is written costs one for all of it.
TEST_F(RoundTrips, ARefundCostsItsThreeRowsAndTheCommit) {
    batch(0, 17, &RoundTrips::create);
    for (int idle = 0; idle < 3; ++idle) {  // the sweeper has its round
        clock.advance(Duration(1'000));
        of({});
    }
    const auto granted = grant(0, 1);
    const auto refunded = batch(0, 1, &RoundTrips::refund);
    const auto released = batch(0, 1, &RoundTrips::release);
    const auto many_granted = grant(1, 16);
    const auto many_refunded = batch(1, 16, &RoundTrips::refund);
    const auto many_released = batch(1, 16, &RoundTrips::release);

    EXPECT_EQ(granted, 3);   // head, counter
    EXPECT_EQ(refunded, 4);  // answer, lease, payment
    EXPECT_EQ(released, 2);  // lease
    EXPECT_EQ(many_granted, 18);
    EXPECT_EQ(many_refunded, 49);
    EXPECT_EQ(many_released, 17);
}

TEST_F(RoundTrips, ABatchThatAsksNothingCostsNothing) {
    of({});
    clock.advance(Duration(5'000));
    of({});
    clock.advance(Duration(100));
    EXPECT_EQ(of({}), 0);
}

}  // namespace
}  // namespace fencegate::testing
