#include "cli/top/feed.hpp"

#include "base/start_failure.hpp"
#include "cli/top/documents.hpp"
#include "cli/top/model.hpp"

#include <algorithm>
#include <charconv>

namespace fencegate::cli::top {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPassEvery = 1s;
constexpr Duration kPageEvery = 100ms;  // of a pass that is not urgent
constexpr Duration kRetryAfter = 1s;
constexpr Duration kOpeningWithin = 10s;
constexpr std::size_t kLinesMax = 16;  // read after a pass, the longest first
// How many events back; of a few a minute that is hours. The gateway may keep fewer.
constexpr std::array<std::uint64_t, 2> kBackEvents{4'096, 256};
// The backlog comes at once: so long without a line means that the rest of it is of other locks.
constexpr Duration kSilence = 250ms;
constexpr Duration kBacklogWithin = 5s;
// Clocks that differ less are taken for one: the gateway tells its own in whole seconds.
constexpr Duration kSkewMin = 2s;

BootTime boot_now() { return SystemClock().boot_now(); }

struct EventId {
    std::string run{};
    std::uint64_t number = 0;
};

// "8fa9b32d68da28e9-17": docs/api.md, Watching.
std::optional<EventId> parse_id(const std::string& id) {
    const auto dash = id.find('-');
    if (dash == std::string::npos) return std::nullopt;
    EventId parsed{.run = id.substr(0, dash)};
    const auto* end = id.data() + id.size();
    const auto [at, ec] = std::from_chars(id.data() + dash + 1, end, parsed.number);
    if (ec != std::errc{} || at != end) return std::nullopt;
    return parsed;
}

}  // namespace

Feed::Feed(const HttpsOptions& options, std::string prefix, Sink sink)
    : prefix_(std::move(prefix)), sink_(std::move(sink)), reader_(options), stream_(options) {}

void Feed::interrupt() noexcept {
    {
        const std::lock_guard lock(mutex_);
        is_interrupted_ = true;
    }
    changed_.notify_all();
    stream_.interrupt();
    reader_.interrupt();
}

void Feed::tell(decltype(News::what) what) { sink_({std::move(what), SystemClock().wall_now()}); }

Result<> Feed::connect() {
    tell(Link{LinkState::Connecting});
    if (const auto reply = ask("/v1/locks?limit=1"); !reply) return std::unexpected(reply.error());
    if (auto subscribed = subscribe({}); !subscribed) return subscribed;
    return go_back();
}

// On return the stream has said where it begins.
Result<> Feed::subscribe(const std::string& last_event_id) {
    event_.clear();
    data_.clear();
    id_.clear();
    last_words_.clear();
    is_opened_ = has_missed_ = false;
    const auto target = "/v1/watch" + (prefix_.empty() ? "" : "?prefix=" + prefix_);
    if (auto opened = stream_.open(target, last_event_id); !opened) return opened;
    while (!is_opened_) {
        const auto is_line = follow(kOpeningWithin);
        if (!is_line) return std::unexpected(is_line.error());
        if (!*is_line)
            return fail_start(StartFailure::Unavailable, "the event stream does not begin");
    }
    return {};
}

// Subscribes once more, from as far back as the gateway still knows: for the lists of what expired
// and what was refused, and for the rates.
Result<> Feed::go_back() {
    const auto present = parse_id(last_id_);
    if (!present) return {};
    present_ = present->number;
    for (const auto back : kBackEvents) {
        const auto from = present_ - std::min(present_, back);
        is_first_of_backlog_ = from > 0;
        auto subscribed = subscribe(present->run + "-" + std::to_string(from));
        if (!subscribed || !has_missed_) return subscribed;
    }
    is_first_of_backlog_ = false;
    return {};
}

Result<> Feed::catch_up() {
    const auto until = boot_now() + kBacklogWithin;
    const auto is_behind = [this] {
        const auto seen = parse_id(last_id_);
        return seen && seen->number < present_;
    };
    while (is_behind() && boot_now() < until) {
        const auto is_line = follow(kSilence);
        if (!is_line) return std::unexpected(is_line.error());
        if (!*is_line) break;
    }
    tell(Link{LinkState::Live});
    while (is_urgent_) {
        if (auto read = read_page(); !read) return read;
    }
    return {};
}

void Feed::run() {
    auto going = follow_on();
    for (;;) {
        tell(Link{LinkState::Lost, last_words_.empty() ? going.error().detail : last_words_});
        if (!pause(kRetryAfter)) return;
        going = subscribe(last_id_);
        if (!going) continue;
        tell(Link{LinkState::Live});
        cursor_.clear();
        next_page_ = boot_now();
        going = follow_on();
    }
}

// Ends with the error that ended it.
Result<> Feed::follow_on() {
    for (;;) {
        const auto budget = std::chrono::ceil<Duration>(next_page_ - boot_now());
        const auto is_line = follow(std::max(budget, Duration::zero()));
        if (!is_line) return std::unexpected(is_line.error());
        if (boot_now() < next_page_) continue;
        if (auto read = read_page(); !read) return read;
    }
}

// False if no line came within `budget`.
Result<bool> Feed::follow(Duration budget) {
    const auto line = stream_.next_line(budget);
    if (!line) return std::unexpected(line.error());
    if (!*line) return false;
    if (const auto taken = take_line(**line); !taken) return std::unexpected(taken.error());
    return true;
}

Result<> Feed::take_line(std::string_view line) {
    const auto value = [line](std::string_view field) { return line.substr(field.size()); };
    if (line.empty()) return deliver();
    if (line.starts_with("event: ")) event_ = value("event: ");
    if (line.starts_with("data: ")) data_ = value("data: ");
    if (line.starts_with("id: ")) id_ = value("id: ");
    return {};
}

Result<> Feed::deliver() {
    const auto event = std::exchange(event_, {});
    const auto data = std::exchange(data_, {});
    if (!id_.empty()) {
        last_id_ = std::exchange(id_, {});
        is_opened_ = true;
    }
    if (event == "reset") {
        has_missed_ = is_urgent_ = true;
        cursor_.clear();
        next_page_ = boot_now();
        tell(Missed{text_member(data, "reason")});
    } else if (event == "draining") {
        tell(Link{LinkState::Draining});
        last_words_ = "the gateway was shut down";
    } else if (event == "overrun") {
        last_words_ = "events came faster than they were read";
    }
    auto happening = parse_happening(event, data);
    if (!happening) return std::unexpected(happening.error());
    if (!*happening) return {};
    if (std::exchange(is_first_of_backlog_, false)) tell(CoveredSince{(*happening)->at});
    tell(**std::move(happening));
    return {};
}

Result<> Feed::read_page() {
    if (cursor_.empty()) locks_read_ = 0;
    auto target = std::string("/v1/locks?state=held&limit=100");
    if (!prefix_.empty()) target += "&prefix=" + prefix_;
    if (!cursor_.empty()) target += "&cursor=" + cursor_;
    const auto reply = ask(target);
    if (!reply) return std::unexpected(reply.error());
    auto page = parse_lock_page(reply->body, cursor_);
    if (!page) return std::unexpected(page.error());
    for (const auto& lock : page->locks) {
        if (lock.waiters > 0 || lock.holder_count > 1) lines_.push_back({lock.lock, lock.waiters});
    }
    locks_read_ += page->locks.size();
    cursor_ = locks_read_ < kLocksMax ? page->until.value_or("") : "";
    tell(*std::move(page));
    next_page_ = boot_now() + (is_urgent_ ? Duration::zero() : kPageEvery);
    if (!cursor_.empty()) return {};
    is_urgent_ = false;
    next_page_ = boot_now() + kPassEvery;
    return read_lines();
}

// Lines that were there before are looked at once more though their lock is on no list: it may have
// a line without being held, while it rests.
Result<> Feed::read_lines() {
    for (auto& line : std::exchange(known_, {})) {
        if (std::ranges::find(lines_, line.lock, &Line::lock) == lines_.end())
            lines_.push_back(std::move(line));
    }
    std::ranges::sort(lines_, std::ranges::greater{}, &Line::waiters);
    if (lines_.size() > kLinesMax) lines_.resize(kLinesMax);
    for (const auto& line : std::exchange(lines_, {})) {
        const auto reply = ask("/v1/locks/" + line.lock);
        if (!reply) return std::unexpected(reply.error());
        auto reading = parse_lock(reply->body);
        if (!reading) return std::unexpected(reading.error());
        if (reading->waiters > 0) known_.push_back({line.lock, reading->waiters});
        tell(*std::move(reading));
    }
    return {};
}

Result<HttpReply> Feed::ask(const std::string& target) {
    auto reply = reader_.get(target);
    if (!reply) return reply;
    note_clock(*reply);
    if (reply->status != 200) return std::unexpected(refusal_of(*reply));
    return reply;
}

void Feed::note_clock(const HttpReply& reply) {
    const auto theirs = parse_http_date(reply.date);
    if (!theirs) return;
    const Duration ahead = *theirs + 500ms - SystemClock().wall_now();
    const auto skew = std::chrono::abs(ahead) < kSkewMin ? Duration::zero() : ahead;
    if (std::chrono::abs(skew - skew_) < kSkewMin) return;
    skew_ = skew;
    tell(Skew{skew_});
}

// False if it is over.
bool Feed::pause(Duration duration) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, duration, [this] { return is_interrupted_; });
}

}  // namespace fencegate::cli::top
