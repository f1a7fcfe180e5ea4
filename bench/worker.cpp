#include "bench/worker.hpp"

#include "bench/now.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <utility>

namespace fencegate::bench {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDrainMax = 10 * kSecond;
constexpr std::int64_t kTick = kSecond / 10;  // how often a loop with nothing to do looks up
constexpr std::uint64_t kErrorsMax = 1'000;   // past it the run is pointless
constexpr int kEventsMax = 128;

}  // namespace

Worker::Worker(const BenchOptions& options, std::string_view run, ssl_ctx_st* context,
               std::size_t thread)
    : options_(options),
      is_open_loop_(options.open_loop_rate > 0),
      context_(context),
      thread_(thread),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      random_state_(static_cast<std::uint64_t>(now_ns()) * (thread + 1)) {
    for (std::size_t c = thread; c < options.clients; c += options.threads) {
        members_.emplace_back(new Member{BenchClient(options, run, c), c});
    }
}

Worker::~Worker() { ::close(epoll_); }

std::string Worker::cipher() const { return members_.front()->client.connection().cipher(); }

void Worker::create_payments(SetupProgress& progress) {
    setup_ = &progress;
    printed_ns_ = now_ns();
    for (const auto& member : members_) {
        if (options_.existing) member->next_payment = options_.payments;
        for (auto p = member->next_payment; p < options_.payments; p += options_.clients) {
            ++left_to_create_;
        }
        reopen(*member);
    }
    while (left_to_create_ > 0 && tally_.unexpected == 0) {
        pump(kTick);
        if (thread_ == 0 && now_ns() - printed_ns_ > kSecond / 2) print_progress();
    }
    setup_ = nullptr;
    if (tally_.unexpected > 0) throw std::runtime_error("set-up: " + tally_.first_error);
}

void Worker::print_progress() {
    printed_ns_ = now_ns();
    std::fprintf(stderr, "created %zu of %zu payments\n", setup_->created.load(),
                 options_.payments);
}

void Worker::run(Window& window) {
    window_ = &window;
    // The kernel may otherwise be 50 microseconds late for the next arrival.
    ::prctl(PR_SET_TIMERSLACK, 1);
    for (auto& member : members_) {
        member->next_payment = member->client.number();
        if (member->client.state() == BenchClient::State::Idle) on_settled(*member);
    }
    std::int64_t drain_until = 0;
    for (;;) {
        const auto now = now_ns();
        begin_due_cycles(now);
        if (tally_.unexpected > kErrorsMax) window.is_over = true;
        if (has_ended(now)) {
            if (drain_until == 0) drain_until = now + kDrainMax;
            if (running_ == 0 && !has_backlog()) break;
            if (now >= drain_until || tally_.unexpected > kErrorsMax) break;
        }
        pump(idle_timeout(now));
    }
    count_unfinished(now_ns());
    window_ = nullptr;
}

void Worker::pump(std::int64_t timeout_ns) {
    std::array<epoll_event, kEventsMax> events{};
    const timespec timeout{.tv_sec = timeout_ns / kSecond, .tv_nsec = timeout_ns % kSecond};
    const int ready = ::epoll_pwait2(epoll_, events.data(), kEventsMax, &timeout, nullptr);
    for (int i = 0; i < ready; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        auto& member = *members_[event.data.u64];
        const bool has_closed = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        const auto before = member.client.state();
        const auto after = member.client.on_event(has_closed, tally_);
        const bool is_news = after == BenchClient::State::Lost ||
                             (after == BenchClient::State::Idle && after != before);
        if (is_news) on_settled(member);
    }
}

// What was started is over, or the connection has just become usable or useless.
void Worker::on_settled(Member& member) {
    if (std::exchange(member.is_running, false)) {
        --running_;
        if (setup_ == nullptr) account(member.client.cycle());
        if (setup_ != nullptr && !member.client.cycle().has_failed) {
            --left_to_create_;
            ++setup_->created;
        }
    }
    if (member.client.state() == BenchClient::State::Lost) {
        std::erase(idle_, &member);
        return reopen(member);
    }
    if (setup_ != nullptr) return begin_create(member);
    if (is_open_loop_) return idle_.push_back(&member);
    const auto now = now_ns();
    if (!has_ended(now)) begin_cycle(member, now);
}

void Worker::reopen(Member& member) {
    const auto found = std::ranges::find(members_, &member, &std::unique_ptr<Member>::get);
    const auto index = static_cast<std::uint64_t>(found - members_.begin());
    member.client.open(context_, epoll_, index);
    if (member.client.state() == BenchClient::State::Lost) {
        throw std::runtime_error(member.client.connection().last_error());
    }
}

void Worker::begin_create(Member& member) {
    if (member.next_payment >= options_.payments) return;
    member.client.start_create(
        std::exchange(member.next_payment, member.next_payment + options_.clients));
    member.is_running = true;
    ++running_;
}

void Worker::begin_cycle(Member& member, std::int64_t due_ns) {
    member.client.start_cycle(pick_payment(member), due_ns);
    member.is_running = true;
    ++running_;
}

void Worker::begin_due_cycles(std::int64_t now) {
    while (!idle_.empty() && has_backlog() && due_of(next_arrival_) <= now) {
        begin_cycle(*idle_.front(), due_of(next_arrival_++));
        idle_.pop_front();
    }
}

std::size_t Worker::pick_payment(Member& member) {
    if (options_.contend) return next_random() % options_.payments;
    if (options_.existing) {
        const auto first = member.client.number();
        const auto owned = (options_.payments - first + options_.clients - 1) / options_.clients;
        return first + options_.clients * (next_random() % owned);
    }
    const auto payment = member.next_payment;
    member.next_payment += options_.clients;
    if (member.next_payment >= options_.payments) member.next_payment = member.client.number();
    return payment;
}

std::uint64_t Worker::next_random() {
    random_state_ ^= random_state_ << 13;
    random_state_ ^= random_state_ >> 7;
    random_state_ ^= random_state_ << 17;
    return random_state_;
}

// Closed loop: counts what ends inside the window. Open loop: counts what was due inside it,
// however late it ends; leaving the late ones out would hide just the delays looked for.
void Worker::account(const Cycle& cycle) {
    if (cycle.has_failed) return;
    const auto end = cycle.marks.back();
    const auto decisive = is_open_loop_ ? cycle.due_ns : end;
    if (decisive < window_->start_ns || decisive >= window_->end_ns) return;
    const auto number = window_->counted.fetch_add(1) + 1;
    if (window_->operations > 0) {
        if (number > window_->operations) return;
        if (number == window_->operations) window_->is_over = true;
    }
    tally_.last_counted_ns = std::max(tally_.last_counted_ns, end);
    tally_.cycles.record(end - cycle.due_ns);
    for (std::size_t i = 0; i < kCycleSteps; ++i) {
        tally_.steps[i].record(cycle.marks[i + 1] - cycle.marks[i]);
    }
}

std::int64_t Worker::due_of(std::uint64_t arrival) const {
    const auto overall = static_cast<double>(arrival * options_.threads + thread_);
    return window_->begin_ns + static_cast<std::int64_t>(overall * 1e9 / options_.open_loop_rate);
}

bool Worker::has_ended(std::int64_t now) const {
    return now >= window_->end_ns || window_->is_over.load(std::memory_order_relaxed);
}

// Arrivals that are, or will be, due before the end.
bool Worker::has_backlog() const {
    return is_open_loop_ && !window_->is_over && due_of(next_arrival_) < window_->end_ns;
}

std::int64_t Worker::idle_timeout(std::int64_t now) const {
    if (idle_.empty() || !has_backlog()) return kTick;
    return std::clamp<std::int64_t>(due_of(next_arrival_) - now, 0, kTick);
}

void Worker::count_unfinished(std::int64_t now) {
    tally_.unfinished += running_;
    while (has_backlog() && due_of(next_arrival_) <= now) {
        ++next_arrival_;
        ++tally_.unfinished;
    }
}

}  // namespace fencegate::bench
