// The log as SQLite writes it is the log as it is read here.
#include "storage/sqlite/log_file.hpp"

#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace fencegate::testing {
namespace {

using namespace storage::sqlite;

class LogFile : public ::testing::Test {
protected:
    // What a gateway that was killed leaves.
    std::vector<std::uint8_t> log_of_some_commits() {
        for (int number = 0; number < 5; ++number)
            harness_.create("pay_" + std::to_string(number), 500);
        std::ifstream in(harness_.folder() / "store.db-wal", std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }

private:
    StoreHarness harness_;
};

TEST_F(LogFile, EveryFrameThatSQLiteWroteChecksAgainstTheOneBefore) {
    const auto log = log_of_some_commits();
    const auto header = parse_log_header(log);
    ASSERT_TRUE(header);

    auto before = header->checksum;
    int commits = 0;
    auto at = static_cast<std::size_t>(frame_offset(1, header->page_bytes));
    while (at < log.size()) {
        const auto bytes = Bytes(log).subspan(at);
        const auto frame = parse_frame_header(bytes);
        const auto page = bytes.subspan(kFrameHeaderBytes, header->page_bytes);
        EXPECT_EQ(frame.salts, header->salts);
        ASSERT_EQ(frame_checksum(header->sums_big_endian, before, bytes, page), frame.checksum);
        before = frame.checksum;
        if (frame.is_commit()) ++commits;
        at += kFrameHeaderBytes + header->page_bytes;
    }

    EXPECT_EQ(at, log.size());
    EXPECT_GE(commits, 5);
}

TEST_F(LogFile, AHeaderWithAnyBitFlippedIsNone) {
    auto log = log_of_some_commits();

    for (std::size_t bit = 0; bit < 8 * kLogHeaderBytes; ++bit) {
        log[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(parse_log_header(log)) << "bit " << bit;
        log[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
}

TEST_F(LogFile, WhatIsMadeReadsBack) {
    const FrameHeader frame{
        .page = 7, .pages_if_commit = 9, .salts = {1, 0xfedcba98}, .checksum = {3, 4}};

    const auto header = parse_log_header(make_log_header(4'096, 5, {0x80000001, 2}));
    const auto read = parse_frame_header(make_frame_header(frame));

    ASSERT_TRUE(header);
    EXPECT_EQ(header->page_bytes, 4'096U);
    EXPECT_EQ(header->sequence, 5U);
    EXPECT_EQ(header->salts, (LogSalts{0x80000001, 2}));
    EXPECT_EQ(read.page, 7U);
    EXPECT_EQ(read.pages_if_commit, 9U);
    EXPECT_EQ(read.salts, frame.salts);
    EXPECT_EQ(read.checksum, frame.checksum);
}

}  // namespace
}  // namespace fencegate::testing
