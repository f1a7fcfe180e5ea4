// A store of version 1, as the first release left it, is carried over: who held what still does,
// what had ended stays ended, history is in order, and a crash leaves one version or the other.
#include "base/start_failure.hpp"
#include "storage/model/operation.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/page_seal_vfs.hpp"
#include "storage/sqlite/verify_store.hpp"
#include "tests/support/answers.hpp"
#include "tests/support/forgetful_disk.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>
#include <iterator>

namespace fencegate::testing {
namespace {

using storage::Answer;

constexpr const char* kLock = "payments/pay_42";

// Tokens: kLock was released (1), superseded (2), expired (5); "held" is live (4) and was broken
// before (3); "once" was released (6). The counter stands at 7: a grant that was rolled back.
constexpr const char* kRows = R"sql(
UPDATE store SET sequence = 7;
INSERT INTO leases (token, lease_id, lock, principal, owner, ttl_ms, metadata, granted_at_ms, state,
                    ended_at_ms, break_reason) VALUES
 (1, unhex('01910000000070008000000000000001'), 'payments/pay_42', 'worker', 'first',  1000, '', 1000, 3, 1500, NULL),
 (2, unhex('01910000000070008000000000000002'), 'payments/pay_42', 'worker', 'second', 1000, '', 2000, 2, 3000, NULL),
 (3, unhex('01910000000070008000000000000003'), 'held',            'worker', 'third',  1000, '', 3000, 4, 3100, 'stuck'),
 (4, unhex('01910000000070008000000000000004'), 'held',            'worker', 'fourth', 1000, '', 4000, 0, NULL, NULL),
 (5, unhex('01910000000070008000000000000005'), 'payments/pay_42', 'worker', 'fifth',  1000, '{"n":1}', 5000, 1, 6000, NULL),
 (6, unhex('01910000000070008000000000000006'), 'once',            'worker', 'sixth',  1000, '', 6000, 3, 6100, NULL);
INSERT INTO payments (id, currency, state, authorized, captured, refunded, reference, metadata,
                      created_at_ms, last_transfer)
 VALUES ('pay_42', 'EUR', 1, 5000, 5000, 1200, 'r', '', 1000, 3);
INSERT INTO transfers (id, payment_id, kind, debit_account, credit_account, amount, currency,
                       public_id, token, principal, reason, created_at_ms, previous) VALUES
 (1, 'pay_42', 0, 0, 1, 5000, 'EUR', unhex('01910000000070008000000000000011'), NULL, 'worker', '', 1000, 0),
 (2, 'pay_42', 1, 1, 2, 5000, 'EUR', unhex('01910000000070008000000000000012'), NULL, 'worker', '', 1000, 1),
 (3, 'pay_42', 3, 2, 3, 1200, 'EUR', unhex('01910000000070008000000000000013'), 2, 'worker', '', 2500, 2);
)sql";

std::filesystem::path migrations() {
    return std::filesystem::path(FENCEGATE_SOURCE_DIR) / "storage/sqlite/migrations";
}

std::string schema(int version) {
    std::ifstream file(migrations() / (std::to_string(version) + ".sql"));
    return {std::istreambuf_iterator<char>(file), {}};
}

std::int64_t newest_version() {
    return std::distance(std::filesystem::directory_iterator(migrations()), {});
}

// SQLite 3.40 has no unhex().
std::string with_literals(std::string sql) {
    for (auto at = sql.find("unhex("); at != std::string::npos; at = sql.find("unhex(")) {
        sql.replace(at, 6, "x");
        sql.erase(sql.find(')', at), 1);
    }
    return sql;
}

void exec(::sqlite3* database, const std::string& sql) {
    char* why = nullptr;
    const int code = ::sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &why);
    EXPECT_EQ(code, SQLITE_OK) << (why != nullptr ? why : "");
    ::sqlite3_free(why);
}

// What was answered under a key: token, body, resource, request, time.
void remember(::sqlite3* database, const char* key, const std::string& what) {
    const auto made = idempotency(key);
    const auto sql =
        "INSERT INTO answers (key_digest, fingerprint, principal, key, token, body, resource_id, "
        "request_id, created_at_ms) VALUES (?, ?, 'worker', '" +
        std::string(key) + "', " + what + ")";
    ::sqlite3_stmt* insert = nullptr;
    ::sqlite3_prepare_v2(database, sql.c_str(), -1, &insert, nullptr);
    ::sqlite3_bind_blob(insert, 1, made.digest.data(), 16, SQLITE_STATIC);
    ::sqlite3_bind_blob(insert, 2, made.fingerprint.data(), 32, SQLITE_STATIC);
    EXPECT_EQ(::sqlite3_step(insert), SQLITE_DONE);
    ::sqlite3_finalize(insert);
}

void make_version_1(const std::filesystem::path& folder) {
    for (const char* file : {"store.db", "store.db-wal", "store.db-tail", "store.lock"})
        std::filesystem::remove(folder / file);
    std::filesystem::remove_all(folder / "store.marks");
    ::sqlite3* database = nullptr;
    ASSERT_EQ(::sqlite3_open((folder / "store.db").c_str(), &database), SQLITE_OK);
    exec(database, "PRAGMA journal_mode = WAL");
    exec(database, schema(1));
    exec(database, with_literals(kRows));
    remember(database, "k1",
             R"(NULL, '{"id":"pay_42","object":"payment","amount":5000,"currency":"EUR"}',
                'pay_42', 'req', 1000)");
    remember(database, "k2",
             R"(2, '{"id":"ref_01910000000070008000000000000013","payment":"pay_42",)"
             R"("amount":1200,"currency":"EUR"}', 'pay_42', 'req', 2500)");
    remember(database, "k4", "4, '', '', 'req', 4000");  // the grant of token 4
    exec(database, "PRAGMA application_id = 1179074900; PRAGMA user_version = 1");
    ::sqlite3_close(database);
}

// As the release before this one carried it over.
void make_version_2(const std::filesystem::path& folder) {
    make_version_1(folder);
    ::sqlite3* database = nullptr;
    ASSERT_EQ(::sqlite3_open((folder / "store.db").c_str(), &database), SQLITE_OK);
    exec(database, schema(2));
    exec(database, "PRAGMA user_version = 2");
    ::sqlite3_close(database);
}

std::string faults(const std::filesystem::path& file) {
    const auto report = storage::verify_store(file);
    if (!report) return report.error().detail;
    std::string all;
    for (const auto& check : report->checks) {
        for (const auto& line : check.first) all += std::string(check.name) + ": " + line + "\n";
    }
    return all;
}

std::int64_t number_in(const std::filesystem::path& file, const char* sql) {
    ::sqlite3* database = nullptr;
    // As the product would, which leaves the log as it is.
    EXPECT_EQ(::sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE,
                                storage::sqlite::sealing_vfs()),
              SQLITE_OK);
    ::sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    ::sqlite3_stmt* query = nullptr;
    EXPECT_EQ(::sqlite3_prepare_v2(database, sql, -1, &query, nullptr), SQLITE_OK);
    EXPECT_EQ(::sqlite3_step(query), SQLITE_ROW);
    const auto number = ::sqlite3_column_int64(query, 0);
    ::sqlite3_finalize(query);
    ::sqlite3_close(database);
    return number;
}

class Migration : public ::testing::Test {
protected:
    Migration() {
        store.store.reset();
        make_version_1(store.folder());
        store.reopen();
    }

    Answer lease(int token) {
        Answer grant;
        grant.resource_id = "01910000-0000-7000-8000-00000000000" + std::to_string(token);
        return grant;
    }

    StoreHarness store;
};

TEST_F(Migration, ALiveLeaseIsStillHeldWithItsFullTtl) {
    EXPECT_EQ(code_of(*store.acquire("held")), ErrorCode::LockHeld);
    store.tick(Duration(999));
    ASSERT_FALSE(store.renew(lease(4)).error);
    ASSERT_FALSE(store.release(lease(4)).error);

    EXPECT_FALSE(store.acquire("held")->error);
}

TEST_F(Migration, TokensOfEndedLeasesAreRefusedByHowTheyEnded) {
    const auto refund = [&](std::int64_t token) {
        return code_of(store.refund("pay_42", token, {.key = std::to_string(token)}));
    };

    EXPECT_EQ(refund(1), ErrorCode::FenceReleased);
    EXPECT_EQ(refund(2), ErrorCode::FenceStale);
    EXPECT_EQ(refund(3), ErrorCode::FenceBroken);
    EXPECT_EQ(refund(4), ErrorCode::FenceLockMismatch);
    EXPECT_EQ(refund(5), ErrorCode::FenceExpired);
    EXPECT_EQ(refund(7), ErrorCode::FenceTokenUnknown);
}

TEST_F(Migration, ANewGrantSupersedesTheExpiredOneUnderAHigherToken) {
    const auto grant = *store.acquire(kLock);

    EXPECT_EQ(testing::number_of(grant.fencing_token), 8);
    EXPECT_EQ(code_of(store.refund("pay_42", 5, {.key = "old"})), ErrorCode::FenceStale);
    EXPECT_FALSE(store.refund("pay_42", 8, {.key = "new"}).error);
    EXPECT_EQ(store.number("SELECT state FROM leases WHERE token = 1"), 3);
}

TEST_F(Migration, TheHistoryOfALockIsAChainInOrder) {
    store.acquire(kLock, {.owner = "eighth"});

    const auto text =
        store.run(storage::ReadHistory{.lock = *lockmgr::LockName::parse(kLock)})->body;

    EXPECT_LT(text.find("eighth"), text.find("fifth"));
    EXPECT_LT(text.find("fifth"), text.find("second"));
    EXPECT_LT(text.find("second"), text.find("first"));
    EXPECT_NE(text.find("first"), std::string::npos);
    EXPECT_FALSE(has(text, "third"));
    EXPECT_EQ(store.number("SELECT count(*) FROM locks"), 3);
}

TEST_F(Migration, TheLedgerIsUnchangedAndGoesOn) {
    EXPECT_EQ(store.number("SELECT count(*) FROM transfers"), 3);
    EXPECT_EQ(store.number("SELECT refunded FROM payments"), 1'200);
    const auto grant = *store.acquire(kLock);

    ASSERT_FALSE(store.refund("pay_42", grant.fencing_token, {.amount = 3'800}).error);

    EXPECT_EQ(store.number("SELECT sum(amount) FROM ledger_entries"), 0);
    EXPECT_EQ(store.number("SELECT token FROM transfers WHERE id = 3"), 2);
}

TEST_F(Migration, AnAnswerUnderAKeyIsStillReplayed) {
    const auto again = *store.acquire("held", {.key = "k4"});

    EXPECT_TRUE(again.is_replayed);
    EXPECT_EQ(testing::number_of(again.fencing_token), 4);
}

storage::Operation refund_of_before(std::string_view raw, std::string_view canonical) {
    auto refund = StoreHarness::refund_of("pay_42", 2, {.amount = 1'200});
    auto key = idempotency("k2", canonical);
    key.raw_fingerprint = idempotency("k2", raw).fingerprint;
    attach(refund, std::move(key));
    return refund;
}

TEST_F(Migration, AKeyOfBeforeIsKnownByTheBytesOfItsRequest) {
    const auto again = *store.run(refund_of_before("", "the same in canonical form"));

    EXPECT_TRUE(again.is_replayed);
    EXPECT_TRUE(has(again.body, "ref_01910000000070008000000000000013"));
    EXPECT_EQ(store.number("SELECT refunded FROM payments"), 1'200);
}

// Nobody can tell by then whether it asks for the same, and nobody is told to pay again.
TEST_F(Migration, AKeyOfBeforeThatComesSpeltOtherwiseIsToldWhatItDid) {
    const auto refused = *store.run(refund_of_before("a blank more", "canonical"));

    ASSERT_EQ(code_of(refused), ErrorCode::IdempotencyMismatch);
    EXPECT_TRUE(has(refused.error->detail, "byte for byte")) << refused.error->detail;
    EXPECT_EQ(member_of(refused, "original_resource"), "/v1/payments/pay_42");
    EXPECT_EQ(store.number("SELECT refunded FROM payments"), 1'200);
}

TEST_F(Migration, AKeyOfBeforeThatNamedNoOwnerStillFindsItsLease) {
    store.connection->exec("UPDATE leases SET owner = '' WHERE token = 4");

    const auto again = *store.acquire("held", {.owner = "", .key = "k4"});

    EXPECT_TRUE(again.is_replayed);
    EXPECT_EQ(testing::number_of(again.fencing_token), 4);
}

TEST_F(Migration, HappensOnceAndIsNotRepeated) {
    store.acquire(kLock);
    store.reopen();

    EXPECT_EQ(store.number("PRAGMA user_version"), newest_version());
    EXPECT_EQ(testing::number_of(store.acquire("once")->fencing_token), 9);
}

TEST(MigratedStore, VerifiesAsSoundFromEveryOlderVersionAndAfterFurtherWork) {
    for (const auto make : {make_version_1, make_version_2}) {
        StoreHarness store;
        store.store.reset();
        make(store.folder());
        store.reopen();
        store.store.reset();
        EXPECT_EQ(faults(store.folder() / "store.db"), "");

        store.reopen();
        const auto grant = *store.acquire(kLock);
        ASSERT_FALSE(store.refund("pay_42", grant.fencing_token).error);
        store.store.reset();
        EXPECT_EQ(faults(store.folder() / "store.db"), "");
    }
}

TEST(MigratedStore, WithAnAnswerOfBeforeThatTellsOfNoEffectIsNotSound) {
    StoreHarness store;
    store.store.reset();
    make_version_2(store.folder());
    store.reopen();
    store.connection->exec(
        "UPDATE answers SET body = replace(body, '\"amount\":1200', '\"amount\":1300') "
        "WHERE key = 'k2'");
    store.store.reset();

    EXPECT_TRUE(has(faults(store.folder() / "store.db"), "tells of an effect that there is not"));
}

TEST(MigrationCrash, AtAnyWriteLeavesOneVersionOrTheOther) {
    const auto newest = newest_version();
    TempDir folder;
    std::size_t old_ones = 0;
    std::size_t new_ones = 0;
    for (std::size_t cut = 1;; ++cut) {
        ForgetfulDisk disk;
        SeededRandom random(cut);
        make_version_1(folder.path());
        std::ofstream(folder / "store.lock") << "A store was made here.\n";  // and has no tail note
        disk.watch(folder.path(), DurableNames::Now::IsDurable);
        const auto lock = storage::sqlite::FolderLock::take(folder.path());
        disk.lose_power_at(cut);
        static_cast<void>(storage::sqlite::open_database(folder.path()));
        if (!disk.has_struck()) break;
        disk.power_cut(static_cast<Remains>(cut % kRemainsCount), random);
        disk.be_sound();

        const auto file = folder.path() / "store.db";
        const auto version = number_in(file, "PRAGMA user_version");
        ASSERT_TRUE(version == 1 || version == newest) << version << ", cut " << cut;
        const auto has_chains =
            number_in(file, "SELECT count(*) FROM sqlite_schema WHERE name = 'locks'");
        ASSERT_EQ(has_chains, version == 1 ? 0 : 1) << "cut " << cut;
        ASSERT_EQ(number_in(file,
                            "SELECT count(*) FROM pragma_integrity_check "
                            "WHERE integrity_check <> 'ok'"),
                  0);
        ++(version == 1 ? old_ones : new_ones);
        const auto opened = storage::sqlite::open_database(folder.path());
        ASSERT_TRUE(opened) << "cut " << cut << ": " << opened.error().detail;
        storage::sqlite::Statement statement(**opened, "SELECT count(*) FROM locks");
        auto row = statement.query();
        ASSERT_TRUE(row.next());
        ASSERT_EQ(row.integer(0), 3) << "cut " << cut;
    }
    EXPECT_GT(old_ones, 5U);
    EXPECT_GT(new_ones, 0U);
}

TEST(MigrationFullDisk, LeavesTheOldVersionAndSaysWhy) {
    TempDir folder;
    ForgetfulDisk disk;
    make_version_1(folder.path());
    const auto lock = storage::sqlite::FolderLock::take(folder.path());
    disk.fail_at(6, SQLITE_FULL, 1'000);

    const auto refused = storage::sqlite::open_database(folder.path());

    ASSERT_FALSE(refused);
    EXPECT_EQ(start_failure_of(refused.error()), StartFailure::CannotCreate);
    disk.be_sound();
    EXPECT_EQ(number_in(folder.path() / "store.db", "PRAGMA user_version"), 1);
    EXPECT_TRUE(storage::sqlite::open_database(folder.path()));
}

TEST(Store, OfANewerVersionIsLeftAlone) {
    StoreHarness store;
    store.acquire(kLock);
    store.connection->exec("PRAGMA user_version = 99");
    store.store.reset();

    const auto opened = storage::sqlite::open_database(store.folder());

    ASSERT_FALSE(opened);
    EXPECT_EQ(start_failure_of(opened.error()), StartFailure::BadData);
    EXPECT_TRUE(has(opened.error().detail, "newer"));
    EXPECT_EQ(number_in(store.folder() / "store.db", "PRAGMA user_version"), 99);
}

}  // namespace
}  // namespace fencegate::testing
