// What a failure of the server means: whether the batch is decided again, refused, or unknown.
#include "storage/batch/batcher.hpp"
#include "tests/postgres/postgres_makers.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/seeded_random.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using storage::Answer;
using storage::Changes;
using storage::Failure;

class ServerFailures : public ::testing::Test {
protected:
    // What the server does when a consumer's row is written, `when`: at the row or at the COMMIT.
    void plant(const std::string& body, bool at_commit) {
        cluster().run(url,
                      "CREATE FUNCTION fencegate.plant() RETURNS trigger LANGUAGE plpgsql "
                      "SECURITY DEFINER AS $$ BEGIN " +
                          body + " RETURN NULL; END $$");
        cluster().run(url, std::string("CREATE CONSTRAINT TRIGGER planted AFTER INSERT ON "
                                       "fencegate.event_consumers DEFERRABLE INITIALLY ") +
                               (at_commit ? "DEFERRED" : "IMMEDIATE") +
                               " FOR EACH ROW EXECUTE FUNCTION fencegate.plant()");
    }
    void raise(const std::string& sqlstate, bool at_commit = false) {
        plant("RAISE EXCEPTION 'planted' USING ERRCODE = '" + sqlstate + "';", at_commit);
    }
    std::optional<Failure::Kind> write() {
        Changes changes;
        changes.consumers.push_back({"c", "p", 1, {}});
        store->begin();
        store->write(changes);
        static_cast<void>(store->commit(1));
        const auto failure = store->failure();
        if (!failure) return std::nullopt;
        store->roll_back();
        return failure->kind;
    }
    void end_connection() {
        cluster().run(url,
                      "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                      "WHERE application_name = 'gateway' AND datname = current_database()");
    }
    std::string consumers() {
        return cluster().run(url, "SELECT count(*) FROM fencegate.event_consumers");
    }

    const std::string url = cluster().make_database();
    ManualClock clock;
    std::unique_ptr<storage::postgres::PostgresStore> store = open_store(url, "gateway", clock);
};

TEST_F(ServerFailures, AFullDiskIsFull) {
    raise("53100");
    EXPECT_EQ(write(), Failure::Kind::Full);
}

TEST_F(ServerFailures, ADamagedPageIsDamaged) {
    raise("XX001");
    EXPECT_EQ(write(), Failure::Kind::Damaged);
}

TEST_F(ServerFailures, AConstraintMetAtTheCommitIsOne) {
    raise("23514", /*at_commit=*/true);
    EXPECT_EQ(write(), Failure::Kind::Constraint);
    EXPECT_EQ(write(), Failure::Kind::Constraint);  // and the connection is as good as before
}

TEST_F(ServerFailures, ADeadlockIsDecidedAgain) {
    raise("40P01");
    EXPECT_EQ(write(), Failure::Kind::Lost);
}

TEST_F(ServerFailures, AnythingElseIsFatal) {
    raise("0A000");
    EXPECT_EQ(write(), Failure::Kind::Fatal);
}

TEST_F(ServerFailures, AConnectionThatEndsBeforeTheCommitIsOpenedAgain) {
    ASSERT_FALSE(write());
    end_connection();

    EXPECT_EQ(write(), Failure::Kind::Lost);
    EXPECT_FALSE(write());
    EXPECT_EQ(consumers(), "1");
}

TEST_F(ServerFailures, AConnectionThatEndsInTheCommitLeavesItUnknown) {
    plant("PERFORM pg_terminate_backend(pg_backend_pid());", /*at_commit=*/true);
    EXPECT_EQ(write(), Failure::Kind::Fatal);
}

// As when a wait for the standby was cancelled: the row is there, on this server alone.
TEST_F(ServerFailures, AWarningOfTheCommitLeavesItUnknown) {
    plant("RAISE WARNING 'planted';", /*at_commit=*/true);
    EXPECT_EQ(write(), Failure::Kind::Fatal);
}

TEST_F(ServerFailures, AServerThatIsGoneIsLost) {
    PostgresCluster own;
    const auto place = own.make_database();
    store = open_store(place, "gateway", clock);
    ASSERT_FALSE(write());
    own.kill9();
    await("the loss", [&] { return write().has_value(); });
    EXPECT_EQ(write(), Failure::Kind::Lost);  // nobody there to connect to
    own.start();

    EXPECT_FALSE(write());
    EXPECT_EQ(own.run(place, "SELECT count(*) FROM fencegate.event_consumers"), "1");
}

// The same through the batches: a client sees nothing of it.
TEST_F(ServerFailures, ABatchThatWasLostIsDecidedAgain) {
    SeededRandom random;
    storage::StoreObserver nobody;
    storage::Batcher batcher(std::move(store), lockmgr::LockClasses({}), {}, clock, random, nobody);
    const auto acquire = [&](std::uint64_t ticket, const char* lock) {
        storage::AcquireLock command;
        command.locks = {*lockmgr::LockName::parse(lock)};
        command.ttl = Duration(1'000);
        const storage::Request request{storage::Ticket(ticket), nullptr, {"p", "r", command}};
        return batcher.run({&request, 1}, {}).at(0).delivery.answer;
    };
    ASSERT_FALSE(acquire(1, "a").error);
    end_connection();

    const auto answer = acquire(2, "b");
    EXPECT_FALSE(answer.error);
    EXPECT_FALSE(batcher.fatal());
    EXPECT_EQ(cluster().run(url, "SELECT count(*) FROM fencegate.leases"), "2");
}

}  // namespace
}  // namespace fencegate::testing
