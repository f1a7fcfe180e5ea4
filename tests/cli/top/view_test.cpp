#include "cli/top/view.hpp"

#include "cli/top/table.hpp"
#include "tests/cli/top/news.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace fencegate::cli::top {
namespace {

Model live() {
    Model model;
    tell(model, Link{LinkState::Live});
    tell(model, CoveredSince{kStart - 1h});
    tell(model, LockPage{});
    return model;
}

std::vector<std::string> texts(const Model& model, const ViewState& state = {},
                               Duration after = 1s) {
    std::vector<std::string> found;
    for (auto& line : render(model, state, kStart + after)) found.push_back(line.text);
    return found;
}

std::string text(const Model& model, const ViewState& state = {}, Duration after = 1s) {
    std::string all;
    for (const auto& line : texts(model, state, after)) all += line + "\n";
    return all;
}

bool shows(const std::string& picture, std::string_view words) {
    return picture.find(words) != std::string::npos;
}

// The first words of the table of locks, from the top.
std::vector<std::string> order(const Model& model, const ViewState& state) {
    std::vector<std::string> names;
    const auto lines = texts(model, state);
    for (auto at = std::size_t{4}; at < lines.size() && !lines[at].empty(); ++at)
        names.push_back(lines[at].substr(0, lines[at].find(' ')));
    return names;
}

Model storm() {
    auto model = live();
    for (int at = 0; at < 60; ++at) {
        const auto number = std::to_string(at);
        auto lock = reading("payments/a-rather-long-name-of-a-lock-" + number,
                            {holder(1'000'000'000'000'000 + at)}, 3);
        lock.longest_wait = 2s;
        tell(model, lock);
        tell(model,
             event(LeaseEnding::Expired, {.lock = "x/" + number, .owner = "worker-" + number}));
        tell(model, event(Kind::Refused, {.lock = "y/" + number, .token = at}));
    }
    return model;
}

TEST(TopView, SaysWhoHoldsSinceWhenAndWhatIsLeft) {
    auto model = live();
    auto lock = reading("payments/pay_42", {holder(17, 29s)}, 2);
    lock.longest_wait = 4s;
    tell(model, lock, 1s);

    EXPECT_EQ(text(model, {.url = "https://gate:8443"}, 2s),
              "fencegate top  09:30:02 UTC  live  https://gate:8443\n"
              "locks held: 1, waiting: 2 for 1 lock, the longest for 5.0s\n"
              "/s: refused 0.0, expired 0.0, broken 0.0, granted 0.0, renewed 0.0, released 0.0\n"
              "LOCK             OWNER   PRINCIPAL  TOKEN  HELD   LEFT  OF TTL  WAITING  LONGEST\n"
              "payments/pay_42  worker  default       17  2.0s  28.0s     93%        2     5.0s\n"
              "\n"
              "EXPIRED OR BROKEN  LOCK  OWNER  PRINCIPAL  TOKEN  HELD  REASON\n"
              "none\n"
              "\n"
              "REFUSED  LOCK  OWNER  PRINCIPAL  TOKEN  WHY  LATE  CURRENT\n"
              "none\n");
}

TEST(TopView, ShowsEveryRateOnATerminalOfEightyColumns) {
    auto model = live();
    for (int at = 0; at < 12'000; ++at) {
        const auto token = static_cast<std::int64_t>(at);
        tell(model, event(Kind::Granted, {.lock = "p/1", .token = token}));
        if (at % 100 == 0) tell(model, event(Kind::Refused, {.lock = "p/1", .token = token}));
    }

    const auto line = texts(model, {.width = 80, .height = 24}).at(2);

    EXPECT_EQ(line,
              "/s: refused 12, expired 0.0, broken 0.0, granted 1k, renewed 0.0, released 0.0");
    EXPECT_LE(line.size(), 80U);
}

TEST(TopView, ListsWhatExpiredAndWhatWasRefusedAndHowLate) {
    auto model = live();
    tell(model, event(Kind::Granted, {.lock = "p/1", .token = 1, .owner = "worker-a"}));
    tell(model, event(LeaseEnding::Expired,
                      {.lock = "p/1", .token = 1, .owner = "worker-a", .at = 300ms}));
    auto refused = event(Kind::Refused, {.lock = "p/1", .token = 1, .owner = ""});
    refused.code = "fence_token_stale";
    refused.late = 1'234ms;
    refused.current_token = 2;
    tell(model, refused);

    const auto picture = text(model);

    EXPECT_TRUE(shows(picture, "09:30:00 expired   p/1   worker-a  default        1  300ms  -\n"))
        << picture;
    EXPECT_TRUE(shows(picture,
                      "09:30:00  p/1   worker-a  default        1  fence_token_stale  1.2s        "
                      "2\n"))
        << picture;
}

TEST(TopView, SortsInEveryWay) {
    auto model = live();
    auto few = reading("few", {holder(1, 20s)}, 1);
    auto many = reading("many", {holder(2, 25s)}, 9);
    auto old = reading("old", {holder(3, 10s)});
    old.holders[0].granted_at = kStart - 1h;
    for (const auto& lock : {few, many, old}) tell(model, lock);
    using Names = std::vector<std::string>;

    EXPECT_EQ(order(model, {.sort = Sort::Waiting}), (Names{"many", "few", "old"}));
    EXPECT_EQ(order(model, {.sort = Sort::Left}), (Names{"old", "few", "many"}));
    EXPECT_EQ(order(model, {.sort = Sort::Held}), (Names{"old", "few", "many"}));
    EXPECT_EQ(order(model, {.sort = Sort::Name}), (Names{"few", "many", "old"}));
}

TEST(TopView, AmongEqualWaitersTheLongestHeldComesFirst) {
    auto model = live();
    tell(model, reading("a", {holder(1)}));
    auto old = reading("b", {holder(2)});
    old.holders[0].granted_at = kStart - 1min;
    tell(model, old);

    EXPECT_EQ(order(model, {}), (std::vector<std::string>{"b", "a"}));
}

TEST(TopView, FiltersByPrefix) {
    auto model = live();
    for (const char* lock : {"jobs/1", "payments/1"}) {
        tell(model, event(Kind::Granted, {.lock = lock}));
        tell(model, event(Kind::Refused, {.lock = lock, .token = 9}));
    }

    const auto picture = text(model, {.prefix = "jobs/"});

    EXPECT_FALSE(shows(picture, "payments/1"));
    EXPECT_TRUE(shows(picture, "locks held: 1,")) << picture;
}

// A label that could clear the screen, rename the window or pass for another line.
TEST(TopView, LetsNoByteOfALabelReachTheTerminal) {
    const std::string hostile = "\x1b[2J\x1b]0;root\x07\r\nq\xc2\x9b\x80\x7f";
    auto model = live();
    const Said said{.lock = hostile, .owner = hostile};
    for (auto bad : {event(Kind::Granted, said), event(LeaseEnding::Expired, said),
                     event(Kind::Granted, said), event(LeaseEnding::Broken, said),
                     event(Kind::Refused, said), event(Kind::Granted, said)}) {
        bad.principal = bad.code = bad.reason = hostile;
        tell(model, bad);
    }
    tell(model, Link{LinkState::Lost, hostile});

    const ViewState state{.url = hostile, .prefix = "", .editing = hostile, .has_keys = true};
    for (const auto& line : render(model, state, kStart)) {
        EXPECT_TRUE(std::ranges::all_of(line.text, [](char byte) {
            return byte >= ' ' && byte <= '~';
        })) << line.text;
    }
    EXPECT_TRUE(shows(text(model, state), "\\x1b[2J"));
}

TEST(TopView, FitsEveryWindow) {
    const auto model = storm();
    for (std::size_t width = 1; width <= 200; ++width) {
        for (const std::size_t height : {1, 2, 3, 4, 5, 6, 13, 14, 24, 50, 200}) {
            const auto lines = texts(model, {.url = "https://gate",
                                             .width = width,
                                             .height = height,
                                             .has_keys = true,
                                             .scroll = 3});
            ASSERT_EQ(lines.size(), height);
            for (const auto& line : lines) ASSERT_LE(line.size(), width) << line;
        }
    }
}

TEST(TopView, KeepsWhatMattersWhereThereIsLittleRoom) {
    const auto heading = [](std::size_t width) {
        return texts(storm(), {.width = width, .height = 24})[3];
    };

    EXPECT_TRUE(shows(heading(90), "PRINCIPAL") && shows(heading(90), "OF TTL")) << heading(90);
    EXPECT_FALSE(shows(heading(60), "PRINCIPAL"));
    EXPECT_TRUE(shows(heading(60), "WAITING")) << heading(60);
    EXPECT_TRUE(heading(30).starts_with("LOCK ")) << heading(30);
    EXPECT_TRUE(shows(heading(30), "LEFT")) << heading(30);
}

TEST(TopView, GivesTheListsAThirdOfATallWindowAndNothingOfAShortOne) {
    const auto model = storm();

    const auto tall = text(model, {.width = 120, .height = 30});
    const auto low = text(model, {.width = 120, .height = 12});

    EXPECT_TRUE(shows(tall, "EXPIRED OR BROKEN") && shows(tall, "REFUSED"));
    EXPECT_FALSE(shows(low, "EXPIRED OR BROKEN") || shows(low, "REFUSED"));
}

TEST(TopView, ScrollsNoFurtherThanTheLastLock) {
    auto model = live();
    for (int at = 10; at < 40; ++at)
        tell(model, event(Kind::Granted, {.lock = "l" + std::to_string(at)}));
    const auto first = [&](std::size_t scroll) {
        return texts(model, {.height = 12, .sort = Sort::Name, .scroll = scroll})[4].substr(0, 3);
    };

    EXPECT_EQ(first(0), "l10");
    EXPECT_EQ(first(5), "l15");
    EXPECT_EQ(first(1'000), "l33");  // seven fit
}

TEST(TopView, MarksALeaseThatIsAboutToRunOut) {
    auto model = live();
    tell(model, reading("late", {holder(1, 4s)}));
    tell(model, reading("well", {holder(2, 29s)}));

    const auto picture = render(model, {.sort = Sort::Name}, kStart);

    EXPECT_EQ(picture[4].tone, Tone::Warning);
    EXPECT_EQ(picture[5].tone, Tone::Plain);
}

TEST(TopView, StandsStillAndSaysSoWhileDisconnected) {
    auto model = live();
    tell(model, reading("a", {holder(1, 30s)}));
    tell(model, Link{LinkState::Lost, "nothing listens there"}, 2s);

    const auto picture = text(model, {}, 50s);

    EXPECT_TRUE(shows(picture, "09:30:02 UTC  disconnected, retrying: nothing listens there"))
        << picture;
    EXPECT_TRUE(shows(picture, "28.0s")) << picture;
}

TEST(TopView, SaysWhatStateTheConnectionIsIn) {
    Model model;
    EXPECT_TRUE(shows(text(model), "connecting"));
    tell(model, Link{LinkState::Live});
    EXPECT_TRUE(shows(text(model), "live, reading the locks"));
    tell(model, Link{LinkState::Draining});
    EXPECT_TRUE(shows(text(model), "the gateway is draining"));
}

TEST(TopTable, ShortensInTheMiddle) {
    EXPECT_EQ(shortened("payments/pay_42", 0), "payments/pay_42");
    EXPECT_EQ(shortened("payments/pay_42", 15), "payments/pay_42");
    EXPECT_EQ(shortened("payments/pay_42", 11), "payme~ay_42");
    EXPECT_EQ(shortened("payments/pay_42", 10), "payme~y_42");
    EXPECT_EQ(shortened("payments/pay_42", 1), "~");
}

TEST(TopTable, SpellsDurationsInSixColumns) {
    EXPECT_EQ(spelt(-5ms), "0ms");
    EXPECT_EQ(spelt(999ms), "999ms");
    EXPECT_EQ(spelt(1'234ms), "1.2s");
    EXPECT_EQ(spelt(59'999ms), "59.9s");
    EXPECT_EQ(spelt(65s), "1m05s");
    EXPECT_EQ(spelt(59min + 59s), "59m59s");
    EXPECT_EQ(spelt(3h + 12min), "3h12m");
    EXPECT_EQ(spelt(std::chrono::days(12) + 4h), "12d04h");
    EXPECT_EQ(spelt(std::chrono::days(1'000)), "1000d");
}

}  // namespace
}  // namespace fencegate::cli::top
