// What is changed in a store behind the gateway's back is found, and by the check that is meant to.
#include "tests/storage/verify/verify_fixture.hpp"

#include <map>

namespace fencegate::testing {
namespace {

// One bit of the byte that says what kind of page it is.
TEST_F(VerifyStore, FindsAFlippedBitInThePagesOfEachTable) {
    harness.reopen();
    std::map<std::string, std::int64_t> roots;
    for (const char* table : {"transfers", "payments", "leases", "answers", "balances"}) {
        const auto sql =
            "SELECT rootpage FROM sqlite_schema WHERE name = '" + std::string(table) + "'";
        roots[table] = harness.number(sql.c_str());
    }
    harness.store->close();
    harness.store.reset();

    for (const auto& [table, root] : roots) {
        flip_bit((root - 1) * 4'096);
        EXPECT_GT(faults_of(verify(), "file"), 0) << table;
        flip_bit((root - 1) * 4'096);
        EXPECT_TRUE(verify().is_sound()) << table;
    }
}

// Whoever knows every table takes the newest refund back without a trace, but for who kept the
// head.
TEST_F(VerifyStore, FindsATailThatWasCutOffEverywhereByAnExpectedHeadOnly) {
    const auto head = verify().head;
    tamper(
        "CREATE TEMP TABLE cut AS SELECT id, amount, previous FROM transfers WHERE key = 'r4';"
        "DELETE FROM transfers WHERE id >= (SELECT id FROM cut);"
        "UPDATE payments SET refunded = 0, last_transfer = (SELECT previous FROM cut) "
        "WHERE id = 'pay_3';"
        "DELETE FROM payments WHERE id LIKE 'hold%'; DELETE FROM answers WHERE version >= "
        "(SELECT id FROM cut); DELETE FROM mark_balances; DELETE FROM marks; DELETE FROM balances "
        "WHERE currency = 'EUR';"
        "INSERT INTO balances SELECT 'EUR', account, sum(debit), sum(credit) FROM "
        "(SELECT debit_account AS account, amount AS debit, 0 AS credit FROM transfers "
        "WHERE currency = 'EUR' UNION ALL SELECT credit_account, 0, amount FROM transfers "
        "WHERE currency = 'EUR') GROUP BY account;"
        "UPDATE balances SET debits = debits - (SELECT amount FROM cut) WHERE account = 2 AND "
        "currency = 'JPY'; UPDATE balances SET credits = credits - (SELECT amount FROM cut) "
        "WHERE account = 3 AND currency = 'JPY'");

    EXPECT_EQ(told(verify()), "");
    EXPECT_EQ(faults_of(verify({.expected_head = head}), "expected_head"), 1);
}

// The day before, the fixture's answers could have been forgotten; in order.
class VerifyStoreAfterADay : public VerifyStore {
protected:
    void SetUp() override {
        VerifyStore::SetUp();
        harness.reopen();
        for (int hour = 0; hour < 30; ++hour) harness.tick(std::chrono::hours(1));
        harness.create("pay_5", 1'000);
        const auto grant = harness.acquire("payments/pay_1");
        ASSERT_FALSE(
            harness.refund("pay_1", grant->fencing_token, {.amount = 1, .key = "r5"}).error);
        harness.store.reset();
        tamper("DELETE FROM answers WHERE created_hour = 0");
        ASSERT_EQ(told(verify()), "");
    }
};

TEST_F(VerifyStoreAfterADay, FindsAnAnswerThatWasForgottenBeforeAnOlderOne) {
    tamper("DELETE FROM answers WHERE key = 'r5'");

    EXPECT_EQ(faults_of(verify(), "answers"), 1);
}

TEST_F(VerifyStoreAfterADay, FindsThatAllAnswersAreForgottenByTheHourOfAPayment) {
    tamper("DELETE FROM answers; UPDATE transfers SET token = 1 WHERE key = 'r5'", true);

    EXPECT_EQ(faults_of(verify(), "answers"), 2);
}

TEST_F(VerifyStoreAfterADay, FindsThatAllAnswersAreForgottenByTheHourOfALease) {
    tamper("DELETE FROM answers; UPDATE payments SET authorized_hour = 0");

    EXPECT_EQ(faults_of(verify(), "answers"), 1);
}

TEST_F(VerifyStore, TakesStatisticsOfTheQueryPlannerForSound) {
    tamper("ANALYZE");

    EXPECT_EQ(told(verify()), "");
}

// As stores have it from before references were unique.
TEST_F(VerifyStore, TakesAReferenceForSharedIfItIsAnElderPayments) {
    tamper("UPDATE payments SET reference = 'order-3' WHERE id = 'pay_1'");

    EXPECT_EQ(told(verify()), "");
}

struct Corruption {
    const char* name;
    const char* check;
    const char* sql;
    bool seals_again = false;  // so that the seals do not give it away
};

void PrintTo(const Corruption& corruption, std::ostream* out) { *out << corruption.name; }

class PlantedCorruption : public VerifyStore, public ::testing::WithParamInterface<Corruption> {};

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

constexpr Corruption kJournal[] = {
    {"AmountChanged", "journal_seals", "UPDATE transfers SET amount = amount + 1 WHERE key = 'r1'"},
    {"TimeChanged", "journal_seals",
     "UPDATE transfers SET created_at_ms = created_at_ms - 1 "
     "WHERE id = 1"},
    {"SealChanged", "journal_seals", "UPDATE transfers SET seal = randomblob(32) WHERE id = 3"},
    {"EntryDeleted", "journal_ids", "DELETE FROM transfers WHERE key = 'r1'", true},
    {"LastEntryDeleted", "payment_chains",
     "DELETE FROM transfers WHERE id = (SELECT max(id) FROM transfers)", true},
    {"EntriesSwapped", "journal_seals",
     "UPDATE transfers SET id = -1 WHERE key = 'r1'; UPDATE transfers SET id = (SELECT id - 2 FROM "
     "transfers WHERE key = 'r3') WHERE key = 'r2'; UPDATE transfers SET id = (SELECT id - 1 FROM "
     "transfers WHERE key = 'r3') WHERE id = -1"},
    {"EntryInserted", "balances", FG_COPY_OF_LAST_REFUND("'new'"), true},
    {"EntryOfALaterTimeMovedAhead", "journal_times",
     "UPDATE transfers SET created_at_ms = created_at_ms + 99999999 WHERE id = 1", true},
    {"AccountsTurnedRound", "journal_accounts",
     "UPDATE transfers SET debit_account = 3, credit_account = 2 WHERE key = 'r1'", true},
    {"MovementTornApart", "movements", "UPDATE transfers SET token = 1 WHERE id = 2", true},
};

constexpr Corruption kPayments[] = {
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
    {"HoldCapturedWithoutAnEntry", "payment_states",
     "UPDATE payments SET state = 1, captured = 1000 WHERE id = 'hold_3'"},
    {"CancelTakenBack", "payment_states", "UPDATE payments SET state = 0 WHERE id = 'hold_2'"},
    {"PaymentInserted", "payment_chains",
     "INSERT INTO payments SELECT 'pay_9', currency, state, authorized, captured, refunded, '', "
     "metadata, created_at_ms, last_transfer, authorized_hour FROM payments WHERE id = 'pay_1'"},
    {"PaymentDeleted", "foreign_keys", "DELETE FROM payments WHERE id = 'pay_2'"},
    {"ChainCut", "payment_chains", "UPDATE transfers SET previous = 0 WHERE key = 'r2'", true},
    {"VersionPutBack", "payment_chains",
     "UPDATE payments SET last_transfer = last_transfer - 1 WHERE id = 'pay_1'"},
    {"CreatedAtAnotherTime", "payment_chains",
     "UPDATE payments SET created_at_ms = created_at_ms - 1000 WHERE id = 'pay_2'"},
    {"ConsumerBeyondTheJournal", "consumers", "UPDATE event_consumers SET position = 5000"},
    {"BalanceOffByOne", "balances", "UPDATE balances SET debits = debits + 1 WHERE account = 1"},
    {"BalanceMissing", "balances", "DELETE FROM balances WHERE account = 3 AND currency = 'EUR'"},
    {"MarkOffByOne", "marks", "UPDATE mark_balances SET credits = credits + 1 WHERE account = 2"},
    {"MarkOfNoEntry", "marks", "UPDATE marks SET transfer_id = 999999"},
};

constexpr Corruption kKeys[] = {
    {"KeyWithTwoEffects", "one_effect_a_key", FG_COPY_OF_LAST_REFUND("'r1'"), true},
    {"RefusedKeyWithAnEffect", "one_effect_a_key", FG_COPY_OF_LAST_REFUND("'refused'"), true},
    {"AnswersForgotten", "answers", "DELETE FROM answers"},
    {"OneAnswerForgotten", "answers", "DELETE FROM answers WHERE key = 'r2'"},
    {"NewestAnswerForgotten", "answers", "DELETE FROM answers WHERE key = 'x1'"},
    {"AnswerThatItsKeyDoesNotFind", "answers",
     "UPDATE answers SET key_digest = zeroblob(16) WHERE key = 'r2'"},
    {"RefusalThatItsKeyDoesNotFind", "answers",
     "UPDATE answers SET key_digest = zeroblob(16) WHERE key = 'refused'"},
    {"RefusalMadeASuccess", "answers",
     "UPDATE answers SET error_code = NULL, body = '{\"id\":\"ref_fake\",\"amount\":100,', "
     "resource_id = 'pay_2' WHERE key = 'refused'"},
    {"RefusalOfNoRule", "answers", "UPDATE answers SET error_code = 'mood' WHERE key = 'refused'"},
    {"SuccessThatNamesNoEntry", "answers",
     "UPDATE answers SET version = 0 WHERE id = (SELECT min(id) FROM answers)"},
    {"GrantOfNoToken", "answers",
     "UPDATE answers SET error_code = NULL, body = '', token = NULL WHERE key = 'refused'"},
    {"ReleaseByAWriteThatKeptItsLease", "answers",
     "UPDATE answers SET released = 1 WHERE key = 'r2'"},
    {"ReleaseByARefusal", "answers", "UPDATE answers SET released = 1 WHERE key = 'refused'"},
    {"ReleaseByAGrant", "answers", "UPDATE answers SET released = 1 WHERE key = 'grant'"},
    {"AnswerOfAnotherWrite", "answers",
     "UPDATE answers SET version = (SELECT version FROM answers WHERE key = 'r2') "
     "WHERE key = 'r1'"},
    {"AnswerOfAnotherAmount", "answers",
     "UPDATE answers SET body = replace(body, '\"amount\":100', '\"amount\":900') "
     "WHERE key = 'r1'"},
    {"AnswerOfHalfAMovement", "answers",
     "UPDATE answers SET version = version - 1 WHERE key = 'c1'"},
    {"AnswersSwapped", "answers",
     "UPDATE answers SET body = (SELECT body FROM answers WHERE key = 'r2') WHERE key = 'r1'"},
    {"AnswerOfAnotherCapture", "answers",
     "UPDATE answers SET body = replace(body, 'captured\":400', 'captured\":401') "
     "WHERE key = 'c1'"},
    {"AnswerEmptied", "answers", "UPDATE answers SET body = '' WHERE key = 'x1'"},
    {"AnswerHiddenAsAnotherKind", "answers", "UPDATE answers SET kind = 2 WHERE key = 'r1'"},
    {"GrantOfAnotherLease", "answers", "UPDATE answers SET token = 99 WHERE key = 'grant'"},
    {"GrantOfAnotherPrincipal", "answers",
     "UPDATE leases SET principal = 'mallory' WHERE lock = 'payments/pay_4'"},
    {"AnswerUnderAnotherToken", "answers",
     "UPDATE answers SET token = token + 1 "
     "WHERE key = 'r2'"},
};

constexpr Corruption kFences[] = {
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
    {"WriteAfterASuccessorWasGranted", "fence_leases",
     "UPDATE leases SET granted_at_ms = granted_at_ms - 3600000 WHERE token > "
     "(SELECT token FROM transfers WHERE key = 'r2') AND lock = 'payments/pay_1'; "
     "UPDATE leases SET granted_at_ms = granted_at_ms - 3600000, ended_at_ms = ended_at_ms - "
     "3600000 WHERE token <= (SELECT token FROM transfers WHERE key = 'r2')"},
    {"LeaseDeleted", "fence_leases", "DELETE FROM leases WHERE token = 1"},
    {"TwoLiveLeasesOfOneLock", "one_holder_a_lock",
     "UPDATE leases SET state = 0, ended_at_ms = NULL WHERE lock = 'payments/pay_1'"},
    {"SupersededLeaseThatMayWriteLate", "one_holder_a_lock",
     "UPDATE leases SET state = 1 WHERE lock = 'payments/pay_1' AND state = 2"},
    {"LeaseInserted", "lease_chains",
     "INSERT INTO leases (token, lease_id, lock, principal, owner, ttl_ms, metadata, "
     "granted_at_ms, state, ended_at_ms) SELECT 99, lease_id, lock, principal, owner, ttl_ms, "
     "metadata, granted_at_ms, 3, 0 FROM leases WHERE token = 1"},
    {"LeasesNotInOrderOfTokens", "lease_chains",
     "UPDATE leases SET previous = token + 1 WHERE lock = 'payments/pay_1' AND previous > 0"},
    {"TokensSwapped", "lease_chains",
     "UPDATE leases SET token = -1 WHERE token = 1; UPDATE leases SET token = 1 WHERE token = 2; "
     "UPDATE leases SET token = 2 WHERE token = -1"},
    {"BrokenLeaseDeleted", "lease_chains", "DELETE FROM leases WHERE state = 4"},
    {"HeadOfALockPutBack", "lease_chains",
     "UPDATE locks SET last_token = last_token - 1 WHERE name = 'payments/pay_1'"},
    {"LockOfALeaseDeleted", "lease_chains", "DELETE FROM lease_locks"},
    {"LockOfNoLease", "lease_chains", "INSERT INTO lease_locks VALUES (77, 'payments/pay_1', 0)"},
    {"LocksOfALeaseMiscounted", "lease_chains", "UPDATE leases SET lock_count = 2 WHERE token = 1"},
    {"CounterPutBack", "token_counter", "UPDATE store SET sequence = sequence - 1"},
    // A seal cannot tell this 0 from no token.
    {"TokenZero", "token_counter", "UPDATE transfers SET token = 0 WHERE token IS NULL"},
    {"KeptTokenZero", "token_counter", "UPDATE answers SET token = 0 WHERE key = 'grant'"},
    {"TokenBelowZero", "token_counter", "UPDATE transfers SET token = -7 WHERE key = 'r2'", true},
    {"TokenBeyondAll", "token_counter", "UPDATE transfers SET token = 1 << 53 WHERE key = 'r2'",
     true},
    {"EpochPutBack", "token_counter",
     "UPDATE leases SET token = token + (1 << 43); UPDATE store SET epoch = 0"},
    {"ReferenceToAnotherPayment", "references",
     "UPDATE payment_references SET payment_id = 'pay_1' WHERE reference = 'order-3'"},
    {"ReferencesSwapped", "references",
     "UPDATE payment_references SET payment_id = CASE payment_id WHEN 'pay_3' THEN 'pay_4' ELSE "
     "'pay_3' END"},
    {"ReferenceForgotten", "references",
     "DELETE FROM payment_references WHERE reference = "
     "'order-4'"},
};

constexpr Corruption kSchema[] = {
    {"IndexMissing", "schema", "DROP INDEX created_payments"},
    {"TriggerMissing", "schema", "DROP TRIGGER done_is_final"},
    {"ViewMissing", "schema", "DROP VIEW ledger_entries"},
    {"TriggerThatDoesNothing", "schema",
     "CREATE TRIGGER transfers_are_never_deleted BEFORE DELETE ON transfers WHEN 0 "
     "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"},
    {"ForeignTrigger", "schema",
     "CREATE TRIGGER mine AFTER INSERT ON transfers BEGIN UPDATE payments SET refunded = 0; END"},
    {"ForeignTable", "schema", "CREATE TABLE mine (id INTEGER PRIMARY KEY)"},
    {"ForeignIndex", "schema", "CREATE INDEX mine ON answers (key)"},
    {"ConstraintRemoved", "schema",
     "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, "
     "'CHECK (amount > 0)', '') WHERE name = 'transfers'; PRAGMA writable_schema = OFF"},
};

constexpr auto kName = [](const auto& row) { return std::string(row.param.name); };

INSTANTIATE_TEST_SUITE_P(Schema, PlantedCorruption, ::testing::ValuesIn(kSchema), kName);
INSTANTIATE_TEST_SUITE_P(Journal, PlantedCorruption, ::testing::ValuesIn(kJournal), kName);
INSTANTIATE_TEST_SUITE_P(Payments, PlantedCorruption, ::testing::ValuesIn(kPayments), kName);
INSTANTIATE_TEST_SUITE_P(Keys, PlantedCorruption, ::testing::ValuesIn(kKeys), kName);
INSTANTIATE_TEST_SUITE_P(Fences, PlantedCorruption, ::testing::ValuesIn(kFences), kName);

}  // namespace
}  // namespace fencegate::testing
