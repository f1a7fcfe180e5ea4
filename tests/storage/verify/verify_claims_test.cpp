// What `verify` says that it has found is so, of a store that was restored twice and whose clock
// was set back: each claim that it prints is held against the rows once more, in other words than
// its own. A claim that is new or worded anew has no proof here and fails until somebody writes
// one.
#include "storage/copies/restore.hpp"
#include "storage/sqlite/log_survey.hpp"
#include "tests/storage/verify/verify_fixture.hpp"
#include "tests/support/stored_pages.hpp"

#include <set>

namespace fencegate::testing {
namespace {

struct Proof {
    std::string_view name;
    std::string_view claim;
    const char* exceptions;  // a query for what is not so; "": told by a test of its own below
};

constexpr Proof kProofs[] = {
    {"log", "every frame of the log checks, and no tail note is missing or tells of more", ""},
    {"folder_marks", "the store has come as far as the marks of its folder", ""},
    {"pages", "each page carries the seal it was written with, free ones too", ""},
    {"file", "tables and indexes are whole and agree, as SQLite reads them",
     "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'"},
    {"foreign_keys", "no row refers to one that is not there",
     "SELECT 'reference ' || reference FROM payment_references "
     "WHERE payment_id NOT IN (SELECT id FROM payments) UNION ALL "
     "SELECT 'entry ' || id FROM transfers WHERE payment_id NOT IN (SELECT id FROM payments) "
     "UNION ALL SELECT 'balance of mark ' || transfer_id FROM mark_balances "
     "WHERE transfer_id NOT IN (SELECT transfer_id FROM marks)"},
    {"schema", "tables, indexes, triggers and views are those of this version", ""},
    {"journal_ids", "within each epoch entries are numbered from 1 without a gap",
     "SELECT 'epoch ' || (id >> 43) FROM transfers GROUP BY id >> 43 "
     "HAVING min(id & 8796093022207) <> 1 OR max(id & 8796093022207) <> count(*)"},
    {"journal_seals", "each entry fits its seal and the seal before it", ""},
    {"journal_times", "only where a turn of the clock is noted is an entry booked before the last",
     "SELECT id FROM (SELECT id, created_at_ms, "
     "lag(created_at_ms) OVER (ORDER BY id) AS before FROM transfers) "
     "WHERE (created_at_ms < before) <> (id IN (SELECT transfer_id FROM clock_turns))"},
    {"journal_accounts", "each entry moves money as its kind does",
     "SELECT id FROM transfers WHERE amount <= 0 OR "
     "(kind, debit_account, credit_account) NOT IN "
     "(VALUES (0, 0, 1), (1, 1, 2), (2, 1, 0), (3, 2, 3))"},
    {"movements", "a movement is whole: side by side, one payment, one author",
     "SELECT movement FROM transfers GROUP BY movement "
     "HAVING min(id) <> movement OR max(id) - min(id) + 1 <> count(*) OR "
     "count(DISTINCT payment_id) > 1 OR "
     "count(DISTINCT principal || '|' || owner || '|' || key) > 1"},
    {"balances", "balances are what the entries add up to; debits equal credits",
     "WITH sums AS (SELECT currency, account, sum(debit), sum(credit) FROM "
     "(SELECT currency, debit_account AS account, amount AS debit, 0 AS credit FROM transfers "
     "UNION ALL SELECT currency, credit_account, 0, amount FROM transfers) "
     "GROUP BY currency, account), "
     "kept AS (SELECT currency, account, debits, credits FROM balances "
     "WHERE debits + credits > 0) "
     "SELECT currency FROM (SELECT * FROM sums EXCEPT SELECT * FROM kept) UNION ALL "
     "SELECT currency FROM (SELECT * FROM kept EXCEPT SELECT * FROM sums) UNION ALL "
     "SELECT currency FROM balances GROUP BY currency HAVING sum(debits) <> sum(credits)"},
    {"marks", "each mark is what the entries up to it add up to",
     "SELECT marks.transfer_id FROM marks JOIN mark_balances AS kept USING (transfer_id) WHERE "
     "debits <> (SELECT coalesce(sum(amount), 0) FROM transfers WHERE id <= marks.transfer_id "
     "AND currency = kept.currency AND debit_account = kept.account) OR "
     "credits <> (SELECT coalesce(sum(amount), 0) FROM transfers WHERE id <= marks.transfer_id "
     "AND currency = kept.currency AND credit_account = kept.account) UNION ALL "
     "SELECT transfer_id FROM marks WHERE booked_at_ms IS NOT "
     "(SELECT created_at_ms FROM transfers WHERE id = transfer_id)"},
    {"payment_amounts", "refunded <= captured <= authorized, as the entries say",
     "SELECT id FROM payments WHERE NOT (refunded <= captured AND captured <= authorized) OR "
     "(authorized, captured, refunded) IS NOT (SELECT sum(amount * (kind = 0)), "
     "sum(amount * (kind = 1)), sum(amount * (kind = 3)) FROM transfers WHERE payment_id = "
     "payments.id)"},
    {"payment_states", "each payment went through a life it may have",
     "SELECT payments.id FROM payments JOIN (SELECT payment_id, group_concat(kind, '') AS life "
     "FROM (SELECT payment_id, kind FROM transfers ORDER BY id) GROUP BY payment_id) "
     "ON payment_id = payments.id WHERE NOT CASE state WHEN 0 THEN life = '0' "
     "WHEN 1 THEN rtrim(life, '3') IN ('01', '012') ELSE life = '02' END"},
    {"payment_chains", "the entries of each payment are linked, and it ends in its newest",
     "SELECT id FROM (SELECT id, previous, "
     "lag(id, 1, 0) OVER (PARTITION BY payment_id ORDER BY id) AS before FROM transfers) "
     "WHERE previous <> before UNION ALL SELECT id FROM payments WHERE last_transfer IS NOT "
     "(SELECT max(id) FROM transfers WHERE payment_id = payments.id)"},
    {"consumers", "no reader of events is beyond the journal",
     "SELECT name FROM event_consumers WHERE position > (SELECT max(id) FROM transfers)"},
    {"references", "each reference names its payment and no other",
     "SELECT payments.id FROM payments LEFT JOIN payment_references AS named "
     "ON named.payment_id = payments.id GROUP BY payments.id "
     "HAVING count(named.reference) <> (payments.reference <> '') OR "
     "max(named.reference) <> payments.reference"},
    {"one_effect_a_key", "no idempotency key had two effects while it was kept",
     "SELECT principal || ' ' || key FROM transfers WHERE id = movement AND key <> '' "
     "GROUP BY principal, key HAVING count(*) > 1"},
    {"answers",
     "each effect whose key must be kept has its answer, and each answer tells of its own effect",
     "SELECT 'movement ' || movement FROM transfers WHERE key <> '' AND NOT EXISTS "
     "(SELECT 1 FROM answers WHERE answers.key = transfers.key AND "
     "answers.principal = transfers.principal AND error_code IS NULL) UNION ALL "
     "SELECT 'answer ' || answers.id FROM answers LEFT JOIN transfers ON transfers.id = version "
     "WHERE version <> 0 AND error_code IS NULL AND (answers.key, answers.principal, resource_id) "
     "IS NOT (transfers.key, transfers.principal, payment_id)"},
    {"fence_order", "writes of a payment never went back to an older token",
     "SELECT id FROM (SELECT id, token, "
     "max(token) OVER (PARTITION BY payment_id ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND "
     "1 PRECEDING) AS newest FROM transfers WHERE token IS NOT NULL) WHERE token < newest"},
    {"fence_leases", "each fenced write was made under a lease that guarded it, where that is kept",
     "SELECT id FROM transfers WHERE token IN (SELECT token FROM leases) AND NOT EXISTS "
     "(SELECT 1 FROM lease_coverage JOIN leases USING (token) WHERE token = transfers.token AND "
     "lease_coverage.lock = 'payments/' || payment_id AND leases.mode = 0 AND "
     "leases.principal = transfers.principal)"},
    {"lease_chains", "the leases of each lock that are kept are linked in order of tokens",
     "SELECT token FROM (SELECT token, previous, "
     "lag(token, 1, previous) OVER (PARTITION BY lock ORDER BY token) AS before "
     "FROM lease_coverage) WHERE previous <> before UNION ALL "
     "SELECT last_token FROM locks WHERE last_token IS NOT "
     "(SELECT max(token) FROM lease_coverage WHERE lock = name)"},
    {"one_holder_a_lock", "who holds a lock alone is alone and the newest",
     "SELECT token FROM lease_coverage AS holder WHERE state = 0 AND mode = 0 AND EXISTS "
     "(SELECT 1 FROM lease_coverage AS other WHERE other.lock = holder.lock AND "
     "other.token <> holder.token AND (other.state = 0 OR other.token > holder.token))"},
    {"token_counter", "no token is beyond the counter",
     "SELECT token FROM (SELECT token FROM leases UNION ALL SELECT last_token FROM locks "
     "UNION ALL SELECT token FROM answers UNION ALL SELECT token FROM transfers UNION ALL "
     "SELECT token FROM refusals UNION ALL SELECT last_token FROM hours) "
     "WHERE token > (SELECT (epoch << 43) + sequence FROM store)"},
    {"expected_head", "the journal still has the head that was expected", ""},
};

const Proof* proof_of(std::string_view check) {
    const auto* const found = std::ranges::find(kProofs, check, &Proof::name);
    return found == std::end(kProofs) ? nullptr : found;
}

class VerifyClaims : public VerifyStore {
protected:
    void SetUp() override {
        ASSERT_NO_FATAL_FAILURE(VerifyStore::SetUp());
        head_before = verify().head;
        for (const auto* life : {"first", "second"}) {
            const auto restored =
                storage::restore_store({.data_dir = harness.folder()}, harness.clock.wall_now());
            ASSERT_TRUE(restored) << restored.error().detail;
            harness.reopen();
            ASSERT_NO_FATAL_FAILURE(go_on(life));
            harness.store.reset();
        }
    }

    // After a restore: new payments and moves of old ones, late writes, a clock that is set back.
    void go_on(const std::string& life) {
        harness.create(life, 1'000);
        create_with_reference(life + "-named", "order-" + life);
        const auto held = *harness.acquire("payments/" + life, {.also = {"payments/pay_2"}});
        ASSERT_FALSE(harness.refund("pay_2", held.fencing_token, {.key = life + "2"}).error);
        harness.clock.step_wall(-std::chrono::hours(2));
        harness.tick(Duration(10));
        ASSERT_FALSE(harness.refund(life, held.fencing_token, {.key = life + "1"}).error);
        ASSERT_TRUE(harness.refund("hold_3", held.fencing_token, {.key = life + "3"}).error);
        harness.create(life + "-hold", 1'000, false);
        const auto hold = *harness.acquire("payments/" + life + "-hold");
        ASSERT_FALSE(move(MoveKind::Capture, life + "-hold", hold.fencing_token, "c", 400).error);
        harness.release(held);
    }

    // What of the claim is not so.
    [[nodiscard]] std::vector<std::string> exceptions(const Proof& proof) const {
        const auto opened = Connection::open_to_read(file());
        std::vector<std::string> found;
        Statement query(**opened, proof.exceptions);
        auto row = query.query();
        while (row.next()) found.emplace_back(row.text(0));
        EXPECT_FALSE((*opened)->failure()) << proof.name << ": " << (*opened)->failure()->message;
        return found;
    }
    [[nodiscard]] std::set<std::string> schema(const std::filesystem::path& of) const {
        const auto opened = Connection::open_to_read(of);
        std::set<std::string> all;
        Statement query(**opened, "SELECT type || name || coalesce(sql, '') FROM sqlite_schema");
        auto row = query.query();
        while (row.next()) all.emplace(row.text(0));
        return all;
    }

    storage::JournalHead head_before;
};

TEST_F(VerifyClaims, OfARestoredStoreAreEachSoInOtherWords) {
    const auto report = verify({.expected_head = head_before});

    EXPECT_EQ(told(report), "");
    EXPECT_EQ(report.checks.size(), std::size(kProofs));
    for (const auto& check : report.checks) {
        const auto* proof = proof_of(check.name);
        ASSERT_NE(proof, nullptr) << check.name << " is claimed, and nobody has proven it";
        EXPECT_EQ(check.claim, proof->claim);
        EXPECT_GT(check.looked_at, 0) << check.name;
        if (*proof->exceptions != 0) {
            EXPECT_EQ(exceptions(*proof), std::vector<std::string>()) << check.name;
        }
    }
}

TEST_F(VerifyClaims, AreMadeOfAStoreOfThreeEpochsWithTurnsOfTheClock) {
    const auto opened = Connection::open_to_read(file());
    const auto count = [&](const char* sql) {
        Statement query(**opened, sql);
        auto row = query.query();
        return row.next() ? row.integer(0) : -1;
    };

    EXPECT_EQ(count("SELECT count(DISTINCT id >> 43) FROM transfers"), 3);
    EXPECT_GE(count("SELECT count(*) FROM clock_turns"), 2);
    EXPECT_GE(count("SELECT count(*) FROM marks"), 1);
    EXPECT_GE(count("SELECT count(*) FROM leases WHERE state = 4"), 2) << "ended by the restores";
}

TEST_F(VerifyClaims, OfFilesAndSealsAreSoInOtherWords) {
    std::int64_t checked = 0;
    EXPECT_TRUE(storage::sqlite::walk_log(storage::sqlite::log_of(file()), [&](const auto& frame) {
        if (frame.checks && frame.is_ours) checked = frame.number;
    }));
    EXPECT_EQ(checked, storage::sqlite::read_tail_note(file())->frames);
    EXPECT_EQ(pages_without_seal(file()), std::vector<std::uint32_t>());

    StoreHarness young;
    young.store.reset();
    EXPECT_EQ(schema(file()), schema(young.folder() / "store.db"));

    const auto opened = Connection::open_to_read(file());
    const auto select =
        std::string("SELECT ") + storage::sqlite::kEntryColumns + " FROM transfers ORDER BY id";
    Statement entries(**opened, select.c_str());
    Sha256 before{};
    bool has_head = false;
    auto row = entries.query();
    while (row.next()) {
        const auto entry = storage::sqlite::entry_of(row);
        EXPECT_EQ(entry.seal, seal_of(entry, before)) << entry.id;
        before = entry.seal;
        has_head = has_head || head_before == storage::JournalHead{entry.id, entry.seal};
    }
    EXPECT_TRUE(has_head);
}

}  // namespace
}  // namespace fencegate::testing
