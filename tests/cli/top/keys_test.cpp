#include "cli/top/keys.hpp"

#include <gtest/gtest.h>

namespace fencegate::cli::top {
namespace {

using Kind = Key::Kind;

bool type(std::string_view bytes, ViewState& state) {
    for (const auto& key : read_keys(bytes)) {
        if (!press(key, state)) return false;
    }
    return true;
}

TEST(TopKeys, AreReadFromATerminalsBytes) {
    EXPECT_EQ(read_keys("q/"), (std::vector<Key>{{Kind::Letter, 'q'}, {Kind::Letter, '/'}}));
    EXPECT_EQ(read_keys("\x1b[A\x1bOB\x1b[5~\x1b[6~"),
              (std::vector<Key>{{Kind::Up}, {Kind::Down}, {Kind::PageUp}, {Kind::PageDown}}));
    EXPECT_EQ(read_keys("\r\x7f\x1b"),
              (std::vector<Key>{{Kind::Enter}, {Kind::Backspace}, {Kind::Escape}}));
}

// F5 is no q, though its sequence ends in a letter's neighbour.
TEST(TopKeys, SequencesThatMeanNothingArePassedOver) {
    EXPECT_TRUE(read_keys("\x1b[15~\x1b[1;5q\x1bOq\xc3\xab\t").empty());
}

TEST(TopKeys, QLeavesUnlessAPrefixIsTyped) {
    ViewState state;

    EXPECT_TRUE(type("/q", state));
    EXPECT_EQ(state.editing, "q");
    EXPECT_TRUE(type("\r", state));
    EXPECT_EQ(state.prefix, "q");
    EXPECT_EQ(state.editing, std::nullopt);
    EXPECT_FALSE(type("q", state));
}

TEST(TopKeys, APrefixIsEditedAndGivenUp) {
    ViewState state{.prefix = "jobs/"};

    EXPECT_TRUE(type("/\x7f\x7f\x7f\x7f\x7f\x7fx", state));
    EXPECT_EQ(state.editing, "x");
    EXPECT_EQ(state.prefix, "jobs/");
    EXPECT_TRUE(type("\x1b", state));
    EXPECT_EQ(state.editing, std::nullopt);
    EXPECT_EQ(state.prefix, "jobs/");
}

TEST(TopKeys, SortGoesRoundAndPauseComesBack) {
    ViewState state;

    for (const auto next : {Sort::Left, Sort::Held, Sort::Name, Sort::Waiting}) {
        EXPECT_TRUE(type("s", state));
        EXPECT_EQ(state.sort, next);
    }
    EXPECT_TRUE(type("p", state));
    EXPECT_TRUE(state.is_paused);
    EXPECT_TRUE(type("p", state));
    EXPECT_FALSE(state.is_paused);
}

TEST(TopKeys, ArrowsScrollWithinBounds) {
    ViewState state;

    EXPECT_TRUE(type("\x1b[B\x1b[B\x1b[6~\x1b[A", state));
    EXPECT_EQ(state.scroll, 11U);
    EXPECT_TRUE(type("\x1b[5~\x1b[5~", state));
    EXPECT_EQ(state.scroll, 0U);
}

}  // namespace
}  // namespace fencegate::cli::top
