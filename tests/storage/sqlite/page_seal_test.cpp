// A byte of the store that changes on the disk is noticed by whoever reads it, is never handed on,
// and costs nobody else anything.
#include "storage/sqlite/page_seal.hpp"

#include "storage/model/engine.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/support/fresh_seed.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/stored_pages.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <array>

namespace fencegate::testing {
namespace {

using storage::sqlite::carries_seal;
using storage::sqlite::kFilePageBytes;
using storage::sqlite::put_seal;

using Page = std::array<std::byte, kFilePageBytes>;

Page some_page(SeededRandom& random) {
    Page page;
    for (auto& byte : page) byte = static_cast<std::byte>(random.below(256));
    put_seal(page, 7);
    return page;
}

TEST(PageSeal, NoticesEverySingleBit) {
    SeededRandom random(fresh_seed("FENCEGATE_SEED"));
    auto page = some_page(random);
    ASSERT_TRUE(carries_seal(page, 7));

    for (std::size_t bit = 0; bit < kFilePageBytes * 8; ++bit) {
        page[bit / 8] ^= std::byte{1} << (bit % 8);
        ASSERT_FALSE(carries_seal(page, 7)) << bit;
        page[bit / 8] ^= std::byte{1} << (bit % 8);
    }
}

TEST(PageSeal, NoticesAPageInThePlaceOfAnother) {
    SeededRandom random(fresh_seed("FENCEGATE_SEED"));
    const auto page = some_page(random);

    EXPECT_FALSE(carries_seal(page, 8));
}

TEST(PageSeal, IsNotThatOfAPageOfZeros) {
    EXPECT_FALSE(carries_seal(Page{}, 1));
    EXPECT_FALSE(carries_seal(Page{}, 2));
}

class SealedStore : public ::testing::Test {
protected:
    // Captured payments, one a lock, and what the cache held is forgotten: each is read anew.
    void SetUp() override {
        store.fill(200);
        store.store->close();
        store.reopen();
    }
    void forget_pages() { ::sqlite3_db_release_memory(store.connection->handle()); }
    [[nodiscard]] bool is_held(const std::string& lock) const {
        return store.store->live().holdings().find(*lockmgr::LockName::parse(lock)) != nullptr;
    }
    [[nodiscard]] int held() const {
        int count = 0;
        for (int lease = 0; lease < 200; ++lease)
            count += is_held("many/lock_" + std::to_string(lease)) ? 1 : 0;
        return count;
    }
    [[nodiscard]] std::filesystem::path file() const { return store.folder() / "store.db"; }
    [[nodiscard]] std::filesystem::path log() const { return store.folder() / "store.db-wal"; }

    StoreHarness store{{{.name = "payments"}}, {.idempotency = std::chrono::hours(24)}};
};

TEST_F(SealedStore, CarriesASealOnEveryPageAlsoOnThoseThatWereFreed) {
    store.connection->exec("DELETE FROM answers WHERE id % 3 <> 0");
    ASSERT_GT(store.number("PRAGMA freelist_count"), 3);
    store.store->close();

    EXPECT_EQ(pages_without_seal(file()), std::vector<std::uint32_t>{});
}

TEST_F(SealedStore, RefusesWhatNeedsADamagedPageAndServesTheRest) {
    const auto page = page_with_row(*store.connection, file(), "payments", "id = 'pay_120'");
    flip_bit(file(), page, 2'000);
    forget_pages();

    const auto damaged = store.payment("pay_120");
    const auto other = store.payment("pay_1");

    EXPECT_EQ(code_of(damaged), ErrorCode::StoreDamaged);
    EXPECT_NE(damaged.error->detail.find("page " + std::to_string(page)), std::string::npos);
    EXPECT_FALSE(other.error) << other.error->detail;
    EXPECT_EQ(store.observer.errors, std::vector{storage::StoreError::Damaged});
    EXPECT_EQ(store.observer.damages.size(), 1U);
    EXPECT_FALSE(store.store->fatal());
}

TEST_F(SealedStore, AnswersEachOfABatchByItself) {
    const auto page = page_with_row(*store.connection, file(), "payments", "id = 'pay_120'");
    flip_bit(file(), page, 3'000);
    forget_pages();

    const auto answers =
        store.run_batch({storage::ReadPayment{"pay_1"}, storage::ReadPayment{"pay_120"},
                         StoreHarness::acquire_of("other/lock"), storage::ReadPayment{"pay_2"}});

    ASSERT_EQ(answers.size(), 4U);
    std::vector<bool> refused;
    for (const auto& [ticket, answer] : answers) refused.push_back(answer.error.has_value());
    EXPECT_EQ(refused, (std::vector{false, true, false, false}));
}

TEST_F(SealedStore, TakesBackAWriteThatMeetsADamagedPage) {
    const auto grant = store.acquire("payments/pay_120");
    const auto before = store.number("SELECT count(*) FROM transfers");
    const auto page = page_with_row(*store.connection, file(), "payments", "id = 'pay_120'");
    store.store->close();
    store.reopen();
    flip_bit(file(), page, 100);
    forget_pages();

    const auto refused = store.refund("pay_120", grant->fencing_token);

    EXPECT_EQ(code_of(refused), ErrorCode::StoreDamaged);
    EXPECT_EQ(store.number("SELECT count(*) FROM transfers"), before);
    flip_bit(file(), page, 100);
    EXPECT_FALSE(store.refund("pay_120", grant->fencing_token).error);
}

TEST_F(SealedStore, NoticesAPageInAnothersPlace) {
    const auto mine = page_with_row(*store.connection, file(), "payments", "id = 'pay_120'");
    const auto other = page_with_row(*store.connection, file(), "payments", "id = 'pay_0'");
    ASSERT_NE(mine, other);
    copy_page(file(), other, mine);
    forget_pages();

    EXPECT_EQ(code_of(store.payment("pay_120")), ErrorCode::StoreDamaged);
}

TEST_F(SealedStore, NoticesAChangedPageInTheLogAndGoesOnWithoutCopyingIt) {
    store.create("in_log", 500);
    const auto frames = frames_of(log());
    ASSERT_GT(frames, 0U);
    for (std::size_t frame = 0; frame < frames; ++frame) flip_bit_of_frame(log(), frame, 1'000);
    forget_pages();

    EXPECT_EQ(code_of(store.payment("in_log")), ErrorCode::StoreDamaged);
    store.connection->checkpoint(/*truncate=*/false);
    ASSERT_TRUE(store.connection->failure());
    EXPECT_EQ(store.connection->failure()->kind, storage::sqlite::Failure::Kind::Damaged);
    store.connection->clear_failure();
    EXPECT_FALSE(store.store->fatal());
    for (std::size_t frame = 0; frame < frames; ++frame) flip_bit_of_frame(log(), frame, 1'000);
    EXPECT_FALSE(store.payment("in_log").error);
}

TEST_F(SealedStore, EndsLeasesOnOtherPagesAlthoughOneIsDamaged) {
    for (int lease = 0; lease < 200; ++lease)
        store.acquire("many/lock_" + std::to_string(lease), {.ttl_ms = 1'000});
    store.store->close();
    store.reopen();
    const auto page = page_with_row(*store.connection, file(), "leases", "lock = 'many/lock_100'");
    flip_bit(file(), page, 2'000);
    forget_pages();

    store.tick(Duration(1'500));

    EXPECT_FALSE(is_held("many/lock_0"));
    EXPECT_FALSE(is_held("many/lock_199"));
    EXPECT_TRUE(is_held("many/lock_100"));
    EXPECT_LT(held(), 200);  // a page that grows needs those beside it
    const auto errors = store.observer.errors.size();
    store.tick(Duration(100));
    EXPECT_EQ(store.observer.errors.size(), errors) << "spins";
    EXPECT_FALSE(store.acquire("elsewhere/lock", {.owner = "next"})->error);
    EXPECT_FALSE(store.store->fatal());
    // Mended, it ends when it is looked at again.
    flip_bit(file(), page, 2'000);
    store.tick(Duration(11'000));
    EXPECT_EQ(held(), 0);
}

TEST_F(SealedStore, AnswersAWaiterThatCannotBeGrantedAndServesTheNextLine) {
    const auto first = store.acquire("payments/pay_7", {.ttl_ms = 60'000});
    const auto second = store.acquire("payments/pay_8", {.ttl_ms = 60'000});
    store.store->close();
    store.reopen();
    ASSERT_FALSE(store.acquire("payments/pay_7", {.owner = "b", .wait_ms = 50'000}));
    const auto waiter = store.last_ticket();
    const auto page = page_with_row(*store.connection, file(), "locks", "name = 'payments/pay_7'");
    flip_bit(file(), page, 2'000);
    forget_pages();

    const auto answers = store.run_batch({storage::ReleaseLease{*parse_uuid(first->resource_id)}});

    ASSERT_TRUE(answers.contains(waiter));
    EXPECT_EQ(code_of(answers.at(waiter)), ErrorCode::StoreDamaged);
    EXPECT_FALSE(answers.at(store.last_ticket()).error) << "the release needs no such page";
    EXPECT_FALSE(is_held("payments/pay_7"));
    EXPECT_FALSE(store.release(*second).error);
    EXPECT_FALSE(store.store->fatal());
}

TEST_F(SealedStore, SweepsLaterWhatItCannotReadAndServesMeanwhile) {
    const auto page =
        page_with_row(*store.connection, file(), "answers", "id = (SELECT min(id) FROM answers)");
    flip_bit(file(), page, 2'000);
    forget_pages();

    for (int hour = 0; hour < 30; ++hour) store.tick(std::chrono::hours(1));
    store.tick(Duration(100));
    const auto errors = store.observer.errors.size();
    store.tick(Duration(100));
    store.tick(Duration(100));

    EXPECT_GT(errors, 0U);
    EXPECT_EQ(store.observer.errors.size(), errors) << "spins";
    EXPECT_FALSE(store.create("new", 100).error);
    EXPECT_FALSE(store.store->fatal());
    flip_bit(file(), page, 2'000);
    for (int round = 0; round < 40; ++round) store.tick(std::chrono::minutes(2));
    EXPECT_EQ(store.number("SELECT count(*) FROM answers WHERE created_hour = 0"), 0);
}

TEST_F(SealedStore, IsRefusedAtAStartThatMeetsADamagedPage) {
    const auto root = static_cast<std::uint32_t>(
        store.number("SELECT rootpage FROM sqlite_schema WHERE name = 'store'"));
    store.store->close();
    store.store.reset();
    for (const auto page : {std::uint32_t{1}, root}) {
        flip_bit(file(), page, 1'000);
        RecordingObserver observer;
        ManualClock clock;
        SeededRandom random(1);
        storage::EngineOptions options{.data_dir = store.folder(),
                                       .classes = lockmgr::LockClasses({{.name = "payments"}}),
                                       .wait_limits = {},
                                       .on_fatal = {}};
        const auto engine =
            storage::open_embedded_engine(std::move(options), clock, random, observer);

        ASSERT_FALSE(engine) << page;
        EXPECT_NE(engine.error().detail.find("page " + std::to_string(page)), std::string::npos)
            << engine.error().detail;
        flip_bit(file(), page, 1'000);
    }
}

// The byte that says that pages are sealed.
TEST_F(SealedStore, IsNotTakenForAnUnsealedOneWhenItsHeaderIsChanged) {
    store.store->close();
    store.store.reset();
    flip_bit(file(), 1, 20, 3);

    const auto opened = storage::sqlite::open_database(store.folder());

    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().detail.find("page 1"), std::string::npos) << opened.error().detail;
}

}  // namespace
}  // namespace fencegate::testing
