// Reading the journal in the store: bounded pages, statements over marks, events of movements.
#include "storage/commands/ledger_queries.hpp"
#include "storage/commands/page_scan.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using storage::Account;
using storage::Place;
using storage::ReadStatement;

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

// `count` payments of 1 each, captured at once: two entries each, 100 a batch.
void fill(StoreHarness& store, int count) {
    std::vector<storage::Operation> batch;
    for (int at = 0; at < count; ++at) {
        const auto id = "filler-" + std::to_string(at);
        batch.push_back(storage::CreatePayment{.id = id,
                                               .currency = "EUR",
                                               .amount_minor = 1,
                                               .capture = true,
                                               .reference = {},
                                               .metadata_json = {},
                                               .token = lockmgr::kNoToken,
                                               .idempotency = idempotency(id)});
        if (batch.size() == 100 || at + 1 == count) {
            store.run_batch(std::move(batch));
            batch.clear();
        }
    }
}

TEST(Reading, APageOfARareStatusIsShortAndGoesOn) {
    StoreHarness store;
    store.create("rare", 5, false);
    fill(store, storage::kRowsLookedAt + 10);

    const auto first = *store.run(storage::ListPayments{.status = "authorized"});
    const auto place = storage::parse_place(first.next_cursor);
    ASSERT_TRUE(place.has_value());
    const auto second = *store.run(storage::ListPayments{.status = "authorized", .place = *place});

    EXPECT_TRUE(has(first.body, R"("data":[],"has_more":true)")) << first.body;
    EXPECT_TRUE(has(second.body, R"("id":"rare")"));
    EXPECT_TRUE(second.next_cursor.empty());
}

TEST(Reading, AStatementIsASnapshotWhateverIsBookedMeanwhile) {
    StoreHarness store;
    fill(store, storage::kStatementRows);  // two pages

    const auto first =
        store.run(ReadStatement{.account = Account::FundsCaptured, .currency = "EUR"})->statement;
    store.create("later", 7);
    const auto second =
        store
            .run(ReadStatement{
                .account = Account::FundsCaptured, .currency = "EUR", .place = first->place})
            ->statement;

    EXPECT_FALSE(first->is_last);
    EXPECT_TRUE(second->is_last);
    EXPECT_EQ(first->entries.size() + second->entries.size(),
              static_cast<std::size_t>(storage::kStatementRows));
}

TEST(Reading, AStatementOpensWithWhatAMarkAndTheEntriesBehindItComeTo) {
    StoreHarness store;
    fill(store, 3'000);  // 6,000 entries: one mark
    ASSERT_EQ(store.number("SELECT count(*) FROM marks"), 1);
    store.clock.advance(Duration(1'000));
    const auto from = store.clock.wall_now();
    store.create("one", 7);

    ReadStatement ask{.account = Account::FundsCaptured, .currency = "EUR"};
    ask.booked.from = from;
    std::int64_t opening = 0;
    std::size_t entries = 0;
    for (int pages = 0; pages < 20; ++pages) {
        const auto page = store.run(ask)->statement;
        opening += page->opening_credits_minor - page->opening_debits_minor;
        entries += page->entries.size();
        ask.place = page->place;
        if (page->is_last) break;
    }

    EXPECT_EQ(opening, 3'000);
    EXPECT_EQ(entries, 1U);
}

TEST(Reading, AnEventIsAWholeMovementWhereverTheReaderStands) {
    StoreHarness store;
    store.create("a", 5);
    store.create("b", 5);

    const auto inside = *store.run(storage::ReadEvents{.after = 2});

    EXPECT_FALSE(has(inside.body, R"("payment":"a")")) << "its event is 1";
    EXPECT_TRUE(has(inside.body, R"("id":3,"type":"payment.created","payment":"b")"))
        << inside.body;
    EXPECT_TRUE(has(inside.body, R"("next_after":3)"));
}

TEST(Reading, AHoldThatExpiresIsAnEventOfNobody) {
    StoreHarness store({{.name = "payments"}}, {.holds = std::chrono::hours(1)});
    store.create("held", 5, false);

    for (int hour = 0; hour < 4; ++hour) store.tick(std::chrono::hours(1));

    const auto events = *store.run(storage::ReadEvents{.after = 1});
    EXPECT_TRUE(has(events.body, R"("type":"payment.expired")")) << events.body;
    EXPECT_TRUE(has(events.body, R"("holder":null)"));
}

TEST(Reading, ATimeOfAJournalWithoutEntriesIsEmpty) {
    StoreHarness store;
    ReadStatement ask{.account = Account::FundsHeld, .currency = "EUR"};
    ask.booked.from = store.clock.wall_now();

    const auto page = store.run(ask)->statement;

    EXPECT_TRUE(page->is_open);
    EXPECT_TRUE(page->is_last);
    EXPECT_TRUE(page->entries.empty());
}

}  // namespace
}  // namespace fencegate::testing
