#pragma once
// A store with a history, closed as a crash leaves it; what somebody does to it behind the
// gateway's back; and what `verify` says then. Thread rule: one thread.

#include "storage/sqlite/journal_rows.hpp"
#include "storage/sqlite/verify_store.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

namespace fencegate::testing {

using storage::CheckResult;
using storage::VerifyReport;
using storage::sqlite::Blob;
using storage::sqlite::Connection;
using storage::sqlite::Statement;

inline std::string told(const VerifyReport& report) {
    std::string text;
    for (const auto& check : report.checks) {
        for (const auto& line : check.first) text += std::string(check.name) + ": " + line + "\n";
    }
    return text;
}

inline std::int64_t faults_of(const VerifyReport& report, std::string_view check) {
    const auto found = std::ranges::find(report.checks, check, &CheckResult::name);
    return found == report.checks.end() ? -1 : found->faults;
}

// A store in which every check has something to look at, closed without a checkpoint.
class VerifyStore : public ::testing::Test {
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
        harness.tick(Duration(1));
        harness.refund("pay_1", second->fencing_token, {.key = "r2"});
        harness.refund("pay_2", second->fencing_token, {.key = "r3"});
        harness.refund("pay_2", second->fencing_token, {.amount = 99'999, .key = "refused"});
        harness.tick(Duration(2'000));
        harness.acquire("payments/pay_1");
        const auto third = harness.acquire("payments/pay_3");
        harness.refund_and_release("pay_3", third->fencing_token, {.key = "r4"});
        harness.acquire("payments/pay_4", {.key = "grant"});
        harness.run(storage::Acknowledge{.consumer = "accounts", .position = 1});
        add_life_of_holds();
        harness.connection->exec(
            "INSERT INTO marks SELECT id, created_at_ms FROM transfers ORDER BY id DESC LIMIT 1;"
            "INSERT INTO mark_balances SELECT (SELECT max(id) FROM transfers), * FROM balances");
        ASSERT_FALSE(harness.connection->failure());
        harness.store.reset();
    }

    // A hold captured in part under a broken lease's successor, one cancelled, one that waits; a
    // replay, and a predecessor that comes too late.
    void add_life_of_holds() {
        harness.create("hold_1", 1'000, false);
        harness.create("hold_2", 1'000, false);
        harness.create("hold_3", 1'000, false);
        const auto stuck = *harness.acquire("payments/hold_1");
        harness.run(storage::BreakLock{.lock = *lockmgr::LockName::parse("payments/hold_1"),
                                       .seen_token = *stuck.fencing_token,
                                       .reason = "stuck"});
        const auto next = *harness.acquire("payments/hold_1", {.also = {"payments/hold_2"}});
        ASSERT_FALSE(move(MoveKind::Capture, "hold_1", next.fencing_token, "c1", 400).error);
        ASSERT_TRUE(move(MoveKind::Capture, "hold_1", next.fencing_token, "c1", 400).is_replayed);
        ASSERT_TRUE(move(MoveKind::Refund, "hold_1", stuck.fencing_token, "late", 1).error);
        ASSERT_FALSE(move(MoveKind::Cancel, "hold_2", next.fencing_token, "x1", {}).error);
        harness.release(next);
    }

    using MoveKind = storage::MovePayment::Kind;
    storage::Answer move(MoveKind kind, std::string payment, testing::Token token, const char* key,
                         std::optional<std::int64_t> amount) {
        return *harness.run(storage::MovePayment{.kind = kind,
                                                 .payment_id = std::move(payment),
                                                 .amount_minor = amount,
                                                 .reason = {},
                                                 .token = testing::presented(token),
                                                 .idempotency = idempotency(key)});
    }

    void create_with_reference(std::string id, std::string reference) {
        static_cast<void>(
            *harness.run(storage::CreatePayment{.id = id,
                                                .currency = "JPY",
                                                .amount_minor = 500,
                                                .capture = true,
                                                .reference = std::move(reference),
                                                .metadata_json = {},
                                                .token = lockmgr::kNoToken,
                                                .idempotency = idempotency("create-" + id)}));
    }

    // What somebody does who knows SQL, does not care for triggers and leaves them as they were.
    void tamper(const std::string& sql, bool seals_again = false) {
        auto connection = Connection::open(file());
        ASSERT_TRUE(connection);
        auto& store = **connection;
        store.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA ignore_check_constraints = ON");
        const auto triggers = triggers_of_the_journal(store);
        for (const auto& [name, created_by] : triggers)
            store.exec(("DROP TRIGGER " + name).c_str());
        store.exec(sql.c_str());
        if (seals_again) seal_again(store);
        const auto now = triggers_of_the_journal(store);
        for (const auto& [name, created_by] : triggers) {
            if (!now.contains(name)) store.exec(created_by.c_str());
        }
        ASSERT_FALSE(store.failure()) << store.failure()->message;
    }

    static std::map<std::string, std::string> triggers_of_the_journal(Connection& store) {
        std::map<std::string, std::string> triggers;
        Statement read(store,
                       "SELECT name, sql FROM sqlite_schema "
                       "WHERE type = 'trigger' AND name LIKE 'transfers_are_never%'");
        auto row = read.query();
        while (row.next()) triggers.emplace(row.text(0), row.text(1));
        return triggers;
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
    void flip_bit(std::int64_t offset) {
        std::fstream bytes(file(), std::ios::binary | std::ios::in | std::ios::out);
        bytes.seekg(offset);
        const auto byte = static_cast<char>(bytes.get() ^ 4);
        bytes.seekp(offset);
        bytes.put(byte);
    }
    [[nodiscard]] std::filesystem::path file() const { return harness.folder() / "store.db"; }

    StoreHarness harness;
};

}  // namespace fencegate::testing
