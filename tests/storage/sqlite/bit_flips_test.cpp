// Bits of the store and of its log are turned round one at a time, by chance. Each lies in free
// space, which the map of pages and frames proves, or is found: by `verify` and by the read that
// meets it. Which flips is another choice each run; FENCEGATE_FLIP_SEED makes it again.
#include "storage/sqlite/log_file.hpp"
#include "storage/sqlite/log_survey.hpp"
#include "storage/sqlite/page_seal.hpp"
#include "tests/storage/verify/verify_fixture.hpp"
#include "tests/support/engine_harness.hpp"
#include "tests/support/fresh_seed.hpp"
#include "tests/support/stored_pages.hpp"
#include "tests/support/tokens.hpp"

#include <sqlite3.h>

#include <set>
#include <utility>

namespace fencegate::testing {
namespace {

using storage::sqlite::carries_seal;
using storage::sqlite::frame_checksum;
using storage::sqlite::frame_offset;
using storage::sqlite::FrameHeader;
using storage::sqlite::kFilePageBytes;
using storage::sqlite::kFrameHeaderBytes;
using storage::sqlite::kLogHeaderBytes;
using storage::sqlite::kSealBytes;
using storage::sqlite::LogChecksum;
using storage::sqlite::PageBytes;

constexpr int kFlips = 12'000;
constexpr int kOneInLog = 4;  // of the flips: a log is read from end to end for each
constexpr int kReadFlips = 300;
constexpr int kStarts = 25;

using Image = std::vector<std::uint8_t>;

Image load(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct Frame {
    FrameHeader header;
    bool is_newest = false;  // of its page: the others are read no more
};

// Of a log, up to its last commit.
std::vector<Frame> frames_in(const Image& log) {
    std::vector<Frame> frames;
    const auto header = storage::sqlite::parse_log_header(log);
    if (!header) return frames;
    auto checksum = header->checksum;
    std::size_t committed = 0;
    for (std::int64_t number = 1;; ++number) {
        const auto at = static_cast<std::size_t>(frame_offset(number, header->page_bytes));
        if (at + kFrameHeaderBytes + kFilePageBytes > log.size()) break;
        const auto bytes = storage::sqlite::Bytes(log).subspan(at);
        const auto frame = storage::sqlite::parse_frame_header(bytes);
        checksum = frame_checksum(header->sums_big_endian, checksum, bytes,
                                  bytes.subspan(kFrameHeaderBytes, kFilePageBytes));
        if (frame.salts != header->salts || frame.checksum != checksum) break;
        frames.push_back({frame});
        if (frame.is_commit()) committed = frames.size();
    }
    frames.resize(committed);
    std::set<std::uint32_t> seen;
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame)
        frame->is_newest = seen.insert(frame->header.page).second;
    return frames;
}

class BitFlips : public VerifyStore {
protected:
    // Both files hold rows of every kind, and pages of the one are newer in the other.
    void SetUp() override {
        VerifyStore::SetUp();
        harness.reopen();
        harness.fill(120);
        add_further_rows();
        ASSERT_FALSE(harness.connection->failure());
        harness.connection->exec("DELETE FROM answers WHERE id % 5 = 0 AND version = 0");
        harness.store->close();
        harness.reopen();
        for (int more = 0; more < 30; ++more) {
            harness.create("more_" + std::to_string(more), 700);
            const auto grant = harness.acquire("jobs/job_" + std::to_string(more));
            if (more % 3 == 0) harness.release(*grant);
        }
        harness.store.reset();
        store = load(file());
        log = load(log_file());
        frames = frames_in(log);
        for (const auto& frame : frames) in_log.insert(frame.header.page);
    }

    // Refunds, late ones that are put on record, elections and runs.
    void add_further_rows() {
        for (int number = 0; number < 20; ++number) {
            const auto id = "flip_" + std::to_string(number);
            harness.create(id, 1'000);
            const auto grant = *harness.acquire("payments/" + id, {.ttl_ms = 500});
            ASSERT_FALSE(harness.refund(id, grant.fencing_token, {.key = "flip" + id}).error);
            harness.tick(Duration(600));
            ASSERT_TRUE(harness.refund(id, grant.fencing_token, {.key = "late" + id}).error);
            harness.connection->exec(("INSERT INTO elections VALUES ('" + id + "', " +
                                      std::to_string(testing::number_of(grant.fencing_token)) +
                                      ", '{\"at\":\"host\"}', 1);"
                                      "INSERT INTO runs VALUES ('nightly', '" +
                                      id + "', 1, 1, " +
                                      std::to_string(testing::number_of(grant.fencing_token)) +
                                      ", 1, 2, '{\"rows\":12}')")
                                         .c_str());
        }
    }

    [[nodiscard]] std::filesystem::path log_file() const {
        return harness.folder() / "store.db-wal";
    }
    [[nodiscard]] std::size_t log_end() const {
        return static_cast<std::size_t>(
            frame_offset(static_cast<std::int64_t>(frames.size()) + 1, kFilePageBytes));
    }

    static void turn(Image& image, std::size_t bit) {
        image[bit / 8] = static_cast<std::uint8_t>(image[bit / 8] ^ (1U << (bit % 8)));
    }

    // Whether the page that holds the bit still passes.
    [[nodiscard]] bool passes_in_store(std::size_t bit) {
        turn(store, bit);
        const auto page = bit / 8 / kFilePageBytes;
        const auto* bytes =
            reinterpret_cast<const std::byte*>(store.data()) + page * kFilePageBytes;
        const bool passes =
            carries_seal(PageBytes(bytes, kFilePageBytes), static_cast<std::uint32_t>(page + 1));
        turn(store, bit);
        return passes;
    }
    // Whether the product takes the log for a sound one.
    [[nodiscard]] bool passes_in_log(std::size_t bit) const {
        const auto at = static_cast<unsigned>(bit % 8);
        flip_bit_at(log_file(), bit / 8, at);
        const auto survey = storage::sqlite::survey_log(file());
        flip_bit_at(log_file(), bit / 8, at);
        EXPECT_TRUE(survey) << "the log cannot be read";
        return survey && !survey->damage;
    }

    [[nodiscard]] bool starts() {
        SeededRandom random(1);
        return storage::open_embedded_engine(
                   {.data_dir = harness.folder(),
                    .classes = lockmgr::LockClasses({{.name = "payments"}}),
                    .wait_limits = {},
                    .on_fatal = {}},
                   harness.clock, random, harness.observer)
            .has_value();
    }

    Image store;
    Image log;
    std::vector<Frame> frames;
    std::set<std::uint32_t> in_log;
};

TEST_F(BitFlips, AreEachInFreeSpaceOrFound) {
    const auto seed = fresh_seed("FENCEGATE_FLIP_SEED");
    SCOPED_TRACE("FENCEGATE_FLIP_SEED=" + std::to_string(seed));
    SeededRandom random(seed);
    ASSERT_GT(frames.size(), 60U);
    int found = 0;
    int in_free_space = 0;
    for (int flip = 0; flip < kFlips; ++flip) {
        const bool is_of_log = flip % kOneInLog == 0;
        const auto at = random.below((is_of_log ? log : store).size() * 8);
        const auto page = static_cast<std::uint32_t>(at / 8 / kFilePageBytes + 1);
        const bool is_free = is_of_log ? at / 8 >= log_end() : in_log.contains(page);
        const bool passes = is_of_log ? passes_in_log(at) : passes_in_store(at);
        if (is_free) {
            EXPECT_TRUE(!is_of_log || passes) << "a sound log is said to be damaged, bit " << at;
            ++in_free_space;
            continue;
        }
        ASSERT_FALSE(passes) << (is_of_log ? "log" : "store") << ", bit " << at;
        ++found;
    }
    RecordProperty("flips_found", found);
    RecordProperty("flips_in_free_space", in_free_space);
    RecordProperty("flips_missed", 0);
    EXPECT_GT(found, kFlips / 2);
}

// Reads everything there is; true: something was refused as damaged.
bool read_refuses(Connection& connection) {
    ::sqlite3_db_release_memory(connection.handle());
    for (const auto* check :
         {"PRAGMA integrity_check", "SELECT count(*), sum(length(body)) FROM answers"}) {
        Statement statement(connection, check);
        auto row = statement.query();
        while (row.next()) {
        }
    }
    const bool is_damaged = connection.failure() &&
                            connection.failure()->kind == storage::sqlite::Failure::Kind::Damaged;
    connection.clear_failure();
    return is_damaged;
}

std::set<std::uint32_t> free_leaves(const Image& store, Connection& connection) {
    std::set<std::uint32_t> all;
    Statement used(connection, "SELECT pageno FROM dbstat");
    std::set<std::uint32_t> pages;
    auto row = used.query();
    while (row.next()) pages.insert(static_cast<std::uint32_t>(row.integer(0)));
    for (std::uint32_t page = 1; page <= store.size() / kFilePageBytes; ++page) {
        if (!pages.contains(page)) all.insert(page);
    }
    return all;
}

TEST_F(BitFlips, InTheStoreAreFoundByVerifyAndByTheReadThatMeetsThem) {
    const auto seed = fresh_seed("FENCEGATE_FLIP_SEED");
    SCOPED_TRACE("FENCEGATE_FLIP_SEED=" + std::to_string(seed));
    SeededRandom random(seed);
    std::set<std::uint32_t> is_free;
    {
        const auto sound = *Connection::open_to_read(file());
        is_free = free_leaves(store, *sound);
        ASSERT_FALSE(read_refuses(*sound));
    }
    int verified = 0;
    int read = 0;
    for (int flip = 0; flip < kReadFlips; ++flip) {
        const auto bit = random.below(store.size() * 8);
        const auto page = static_cast<std::uint32_t>(bit / 8 / kFilePageBytes + 1);
        if (in_log.contains(page)) continue;
        flip_bit_at(file(), bit / 8, bit % 8);
        const auto report = storage::verify_store(file());
        EXPECT_FALSE(report && report->is_sound()) << "bit " << bit;
        ++verified;
        const auto opened = Connection::open_to_read(file());
        if (!is_free.contains(page)) {
            EXPECT_TRUE(!opened || read_refuses(**opened)) << "bit " << bit << ", page " << page;
            ++read;
        }
        flip_bit_at(file(), bit / 8, bit % 8);
    }
    RecordProperty("found_by_verify", verified);
    RecordProperty("found_by_read", read);
    EXPECT_GT(read, kReadFlips / 4);
    EXPECT_EQ(told(verify()), "");
}

TEST_F(BitFlips, InTheLogAreFoundByTheReadThatMeetsThem) {
    const auto seed = fresh_seed("FENCEGATE_FLIP_SEED");
    SCOPED_TRACE("FENCEGATE_FLIP_SEED=" + std::to_string(seed));
    SeededRandom random(seed);
    const auto opened = *Connection::open_to_read(file());
    ASSERT_FALSE(read_refuses(*opened));
    std::vector<std::size_t> newest;
    for (std::size_t frame = 0; frame < frames.size(); ++frame) {
        if (frames[frame].is_newest) newest.push_back(frame);
    }
    ASSERT_GT(newest.size(), 3U);
    int read = 0;
    for (int flip = 0; flip < kReadFlips; ++flip) {
        const auto frame = newest[random.below(newest.size())];
        const auto within = random.below(kFilePageBytes);
        const auto offset = static_cast<std::size_t>(frame_offset(
                                static_cast<std::int64_t>(frame) + 1, kFilePageBytes)) +
                            kFrameHeaderBytes + within;
        const auto bit = static_cast<unsigned>(random.below(8));
        flip_bit_at(log_file(), offset, bit);
        EXPECT_TRUE(read_refuses(*opened)) << "frame " << frame + 1 << ", byte " << within;
        flip_bit_at(log_file(), offset, bit);
        ++read;
    }
    RecordProperty("found_by_read", read);
    EXPECT_FALSE(read_refuses(*opened));
}

// Wherever in a frame that was committed, its header too.
TEST_F(BitFlips, InTheLogAreFoundByVerifyAndRefusedByAStart) {
    const auto seed = fresh_seed("FENCEGATE_FLIP_SEED");
    SCOPED_TRACE("FENCEGATE_FLIP_SEED=" + std::to_string(seed));
    SeededRandom random(seed);
    ASSERT_EQ(told(verify()), "");
    for (int flip = 0; flip < kStarts; ++flip) {
        const auto offset = kLogHeaderBytes + random.below(log_end() - kLogHeaderBytes);
        const auto bit = static_cast<unsigned>(random.below(8));
        flip_bit_at(log_file(), offset, bit);

        const auto report = storage::verify_store(file());
        EXPECT_TRUE(!report || faults_of(*report, "log") == 1) << "byte " << offset;
        EXPECT_FALSE(starts()) << "byte " << offset;

        flip_bit_at(log_file(), offset, bit);
        ASSERT_EQ(load(log_file()), log) << "who refuses changes nothing";
    }
    EXPECT_TRUE(starts()) << "nothing is turned round any more";
}

}  // namespace
}  // namespace fencegate::testing
