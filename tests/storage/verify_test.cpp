// `verify` finds nothing in a sound store, and finds what was changed behind the gateway's back.
#include "storage/verify.hpp"

#include "storage/sqlite/journal_rows.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace fencegate::testing {
namespace {

using storage::CheckResult;
using storage::VerifyReport;
using storage::sqlite::Blob;
using storage::sqlite::Connection;
using storage::sqlite::Statement;

std::string told(const VerifyReport& report) {
    std::string text;
    for (const auto& check : report.checks) {
        for (const auto& line : check.first) text += std::string(check.name) + ": " + line + "\n";
    }
    return text;
}

std::int64_t faults_of(const VerifyReport& report, std::string_view check) {
    const auto found = std::ranges::find(report.checks, check, &CheckResult::name);
    return found == report.checks.end() ? -1 : found->faults;
}

// A store in which every check has something to look at, closed without a checkpoint.
class Verify : public ::testing::Test {
protected:
    void SetUp() override {
        harness.create("pay_1", 1'000);
        harness.create("pay_2", 2'000);
        create_with_reference("pay_3", "order-3");
        create_with_reference("pay_4", "order-4");
        const auto first = harness.acquire("payments/pay_1");
        harness.refund("pay_1", first->fencing_token, {.key = "r1"});
        harness.release(*first);
        const auto second = harness.acquire("payments/pay_1", {.also = {"payments/pay_2"}});
        harness.refund("pay_1", second->fencing_token, {.key = "r2"});
        harness.refund("pay_2", second->fencing_token, {.key = "r3"});
        harness.refund("pay_2", second->fencing_token, {.amount = 99'999, .key = "refused"});
        harness.tick(Duration(2'000));
        harness.acquire("payments/pay_1");
        const auto third = harness.acquire("payments/pay_3");
        harness.refund("pay_3", third->fencing_token, {.key = "r4"});
        harness.release(*third);
        harness.acquire("payments/pay_4");
        harness.connection->exec(
            "INSERT INTO marks SELECT id, created_at_ms FROM transfers ORDER BY id DESC LIMIT 1;"
            "INSERT INTO mark_balances SELECT (SELECT max(id) FROM transfers), * FROM balances");
        ASSERT_FALSE(harness.connection->failure());
        harness.store.reset();
    }

    void create_with_reference(std::string id, std::string reference) {
        static_cast<void>(
            *harness.run(storage::CreatePayment{.id = id,
                                                .currency = "JPY",
                                                .amount_minor = 500,
                                                .capture = true,
                                                .reference = std::move(reference),
                                                .metadata_json = {},
                                                .token = {},
                                                .idempotency = idempotency("create-" + id)}));
    }

    // What somebody does who knows SQL and does not care for triggers.
    void tamper(const std::string& sql, bool seals_again = false) {
        auto connection = Connection::open(file());
        ASSERT_TRUE(connection);
        auto& store = **connection;
        store.exec(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA ignore_check_constraints = ON;"
            "DROP TRIGGER transfers_are_never_changed; DROP TRIGGER transfers_are_never_deleted");
        store.exec(sql.c_str());
        if (seals_again) seal_again(store);
        ASSERT_FALSE(store.failure()) << store.failure()->message;
    }

    static void seal_again(Connection& store) {
        const auto select =
            std::string("SELECT ") + storage::sqlite::kEntryColumns + " FROM transfers ORDER BY id";
        Statement entries(store, select.c_str());
        Statement write(store, "UPDATE transfers SET seal = ? WHERE id = ?");
        Sha256 seal{};
        auto row = entries.query();
        while (row.next()) {
            const auto entry = storage::sqlite::entry_of(row);
            seal = seal_of(entry, seal);
            write.run(Blob(seal), entry.id);
        }
    }

    VerifyReport verify(const storage::VerifyOptions& options = {}) {
        auto report = storage::verify_store(file(), options);
        EXPECT_TRUE(report) << report.error().detail;
        return report ? *report : VerifyReport{};
    }
    [[nodiscard]] std::filesystem::path file() const { return harness.folder() / "store.db"; }

    StoreHarness harness;
};

TEST_F(Verify, FindsNothingInASoundStoreAndLooksAtSomethingInEachCheck) {
    const auto report = verify();

    EXPECT_EQ(told(report), "");
    EXPECT_TRUE(report.is_sound());
    for (const auto& check : report.checks) {
        if (check.name != "expected_head") {
            EXPECT_GT(check.looked_at, 0) << check.name;
        }
    }
}

TEST_F(Verify, ChangesNothingInTheFolder) {
    const auto bytes = [&](const char* name) {
        std::ifstream in(harness.folder() / name, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(in), {});
    };
    const auto store = bytes("store.db");
    const auto log = bytes("store.db-wal");

    static_cast<void>(verify());

    EXPECT_EQ(bytes("store.db"), store);
    EXPECT_EQ(bytes("store.db-wal"), log);
    EXPECT_FALSE(std::filesystem::exists(harness.folder() / "store.db-shm"));
}

TEST_F(Verify, TellsAHeadThatIsStillInTheJournalFromOneThatIsNot) {
    const auto head = verify().head;
    auto other = head;
    other.seal[31] ^= 1;

    EXPECT_EQ(storage::parse_journal_head(storage::to_text(head)), head);
    EXPECT_TRUE(verify({.expected_head = head}).is_sound());
    EXPECT_EQ(faults_of(verify({.expected_head = other}), "expected_head"), 1);
}

TEST_F(Verify, OfAStoreThatIsServedIsRefusedAndSaysWhatToDo) {
    harness.reopen();

    const auto report = storage::verify_store(file());

    ASSERT_FALSE(report);
    EXPECT_NE(report.error().detail.find("backup"), std::string::npos);
}

TEST_F(Verify, OfAnotherSchemaIsRefusedAndMigratesNothing) {
    tamper("PRAGMA user_version = 2");

    const auto report = storage::verify_store(file());

    ASSERT_FALSE(report);
    EXPECT_NE(report.error().detail.find("older fencegate"), std::string::npos);
}

TEST_F(Verify, FindsADamagedPage) {
    harness.reopen();
    const auto root = harness.number("SELECT rootpage FROM sqlite_schema WHERE name = 'transfers'");
    harness.store->close();
    harness.store.reset();
    std::fstream out(file(), std::ios::binary | std::ios::in | std::ios::out);
    out.seekp((root - 1) * 4'096);
    out.write("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    out.close();

    const auto report = verify();

    EXPECT_GT(faults_of(report, "file"), 0) << told(report);
}

struct Corruption {
    const char* name;
    const char* check;
    const char* sql;
    bool seals_again = false;  // so that the seals do not give it away
};

void PrintTo(const Corruption& corruption, std::ostream* out) { *out << corruption.name; }

class PlantedCorruption : public Verify, public ::testing::WithParamInterface<Corruption> {};

TEST_P(PlantedCorruption, IsFoundByTheCheckThatIsMeantTo) {
    const auto& planted = GetParam();
    ASSERT_TRUE(verify().is_sound());

    tamper(planted.sql, planted.seals_again);

    const auto report = verify();
    EXPECT_GT(faults_of(report, planted.check), 0) << "found instead:\n" << told(report);
}

#define FG_COPY_OF_LAST_REFUND(KEY)                                                          \
    "INSERT INTO transfers SELECT (SELECT max(id) + 1 FROM transfers), payment_id, kind, "   \
    "debit_account, credit_account, amount, currency, public_id, token, principal, reason, " \
    "created_at_ms, (SELECT last_transfer FROM payments WHERE id = payment_id), "            \
    "(SELECT max(id) + 1 FROM transfers), owner, " KEY ", seal FROM transfers WHERE key = 'r1'; "

constexpr Corruption kCorruptions[] = {
    {"AmountChanged", "journal_seals", "UPDATE transfers SET amount = amount + 1 WHERE key = 'r1'"},
    {"TimeChanged", "journal_seals",
     "UPDATE transfers SET created_at_ms = created_at_ms - 1 "
     "WHERE id = 1"},
    {"SealChanged", "journal_seals", "UPDATE transfers SET seal = randomblob(32) WHERE id = 3"},
    {"EntryDeleted", "journal_ids", "DELETE FROM transfers WHERE key = 'r1'", true},
    {"LastEntryDeleted", "payment_chains",
     "DELETE FROM transfers WHERE id = (SELECT max(id) FROM transfers)", true},
    {"EntriesSwapped", "journal_seals",
     "UPDATE transfers SET id = -1 WHERE key = 'r1'; UPDATE transfers SET id = (SELECT id - 1 FROM "
     "transfers WHERE key = 'r3') WHERE key = 'r2'; UPDATE transfers SET id = (SELECT id - 1 FROM "
     "transfers WHERE key = 'r2') WHERE id = -1"},
    {"EntryInserted", "balances", FG_COPY_OF_LAST_REFUND("'new'"), true},
    {"EntryOfALaterTimeMovedAhead", "journal_times",
     "UPDATE transfers SET created_at_ms = created_at_ms + 99999999 WHERE id = 1", true},
    {"AccountsTurnedRound", "journal_accounts",
     "UPDATE transfers SET debit_account = 3, credit_account = 2 WHERE key = 'r1'", true},
    {"MovementTornApart", "movements", "UPDATE transfers SET token = 1 WHERE id = 2", true},
    {"RefundedRaised", "payment_amounts",
     "UPDATE payments SET refunded = refunded + 1 "
     "WHERE id = 'pay_1'"},
    {"RefundedBeyondCaptured", "payment_amounts",
     "UPDATE payments SET refunded = captured + 1 "
     "WHERE id = 'pay_1'"},
    {"AmountChangedAndSealedAgain", "payment_amounts",
     "UPDATE transfers SET amount = amount + 1 WHERE key = 'r1'", true},
    {"CurrencyOfAPayment", "payment_amounts",
     "UPDATE payments SET currency = 'USD' "
     "WHERE id = 'pay_1'"},
    {"PaymentCancelled", "payment_states", "UPDATE payments SET state = 2 WHERE id = 'pay_2'"},
    {"PaymentDeleted", "foreign_keys", "DELETE FROM payments WHERE id = 'pay_2'"},
    {"ChainCut", "payment_chains", "UPDATE transfers SET previous = 0 WHERE key = 'r2'", true},
    {"VersionPutBack", "payment_chains",
     "UPDATE payments SET last_transfer = last_transfer - 1 WHERE id = 'pay_1'"},
    {"BalanceOffByOne", "balances", "UPDATE balances SET debits = debits + 1 WHERE account = 1"},
    {"BalanceMissing", "balances", "DELETE FROM balances WHERE account = 3 AND currency = 'EUR'"},
    {"MarkOffByOne", "marks", "UPDATE mark_balances SET credits = credits + 1 WHERE account = 2"},
    {"MarkOfNoEntry", "marks", "UPDATE marks SET transfer_id = 999999"},
    {"KeyWithTwoEffects", "one_effect_a_key", FG_COPY_OF_LAST_REFUND("'r1'"), true},
    {"RefusedKeyWithAnEffect", "one_effect_a_key", FG_COPY_OF_LAST_REFUND("'refused'"), true},
    {"AnswerOfAnotherWrite", "answers",
     "UPDATE answers SET version = (SELECT version FROM answers WHERE key = 'r2') "
     "WHERE key = 'r1'"},
    {"AnswerUnderAnotherToken", "answers",
     "UPDATE answers SET token = token + 1 "
     "WHERE key = 'r2'"},
    {"TokenLowered", "fence_order",
     "UPDATE transfers SET token = (SELECT token FROM transfers WHERE key = 'r2') "
     "WHERE key = 'r1'; "
     "UPDATE transfers SET token = (SELECT min(token) FROM leases) WHERE key = 'r2'",
     true},
    {"WriteUnderTheTokenOfAnotherLock", "fence_leases",
     "UPDATE transfers SET token = (SELECT max(token) FROM leases) WHERE key = 'r2'", true},
    {"WriteOfAnotherPrincipal", "fence_leases",
     "UPDATE transfers SET principal = 'mallory' WHERE key = 'r2'", true},
    {"WriteWithoutAToken", "fence_leases", "UPDATE transfers SET token = NULL WHERE key = 'r2'",
     true},
    {"WriteUnderAReadersLease", "fence_leases", "UPDATE leases SET mode = 1"},
    {"WriteAfterARelease", "fence_leases",
     "UPDATE leases SET granted_at_ms = granted_at_ms - "
     "3600000, ended_at_ms = ended_at_ms - 3600000"},
    {"LeaseDeleted", "fence_leases", "DELETE FROM leases WHERE token = 1"},
    {"TwoLiveLeasesOfOneLock", "one_holder_a_lock",
     "UPDATE leases SET state = 0, ended_at_ms = NULL WHERE lock = 'payments/pay_1'"},
    {"SupersededLeaseThatMayWriteLate", "one_holder_a_lock",
     "UPDATE leases SET state = 1 WHERE lock = 'payments/pay_1' AND state = 2"},
    {"LeaseInserted", "lease_chains",
     "INSERT INTO leases (token, lease_id, lock, principal, owner, ttl_ms, metadata, "
     "granted_at_ms, state, ended_at_ms) SELECT 99, lease_id, lock, principal, owner, ttl_ms, "
     "metadata, granted_at_ms, 3, 0 FROM leases WHERE token = 1"},
    {"HeadOfALockPutBack", "lease_chains",
     "UPDATE locks SET last_token = last_token - 1 WHERE name = 'payments/pay_1'"},
    {"LockOfALeaseDeleted", "lease_chains", "DELETE FROM lease_locks"},
    {"CounterPutBack", "token_counter", "UPDATE store SET sequence = sequence - 1"},
    {"ReferenceToAnotherPayment", "references",
     "UPDATE payment_references SET payment_id = 'pay_1' WHERE reference = 'order-3'"},
    {"ReferencesSwapped", "references",
     "UPDATE payment_references SET payment_id = CASE payment_id WHEN 'pay_3' THEN 'pay_4' ELSE "
     "'pay_3' END"},
    {"ReferenceForgotten", "references",
     "DELETE FROM payment_references WHERE reference = "
     "'order-4'"},
};

INSTANTIATE_TEST_SUITE_P(All, PlantedCorruption, ::testing::ValuesIn(kCorruptions),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fencegate::testing
