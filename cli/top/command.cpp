#include "cli/top/command.hpp"

#include "cli/commands/key_command.hpp"
#include "cli/top/feed.hpp"
#include "cli/top/keys.hpp"
#include "cli/top/mailbox.hpp"
#include "cli/top/terminal.hpp"

#include <csignal>
#include <cstdio>
#include <thread>

namespace fencegate::cli {
namespace top {
namespace {

using namespace std::chrono_literals;

constexpr Duration kDrawEvery = 500ms;     // durations move
constexpr Duration kDrawAtMostIn = 250ms;  // after the last picture, however many news come

// A gateway that takes longer is worth being told of.
constexpr Duration kAnswerWithin = 5s;

WallTime gateway_now(const Model& model) { return SystemClock().wall_now() + model.skew(); }

// The feed on a thread of its own, ended before what it feeds.
class FeedThread {
public:
    FeedThread(Feed& feed, Mailbox& mailbox)
        : feed_(feed), mailbox_(mailbox), thread_([&feed] {
              // What fails here is told and tried again by run().
              static_cast<void>(feed.catch_up());
              feed.run();
          }) {}
    ~FeedThread() {
        feed_.interrupt();
        mailbox_.close();
        thread_.join();
    }
    FeedThread(const FeedThread&) = delete;
    FeedThread& operator=(const FeedThread&) = delete;

private:
    Feed& feed_;
    Mailbox& mailbox_;
    std::thread thread_;
};

// What the user looks at.
class Screen {
public:
    Screen(Terminal& terminal, Mailbox& mailbox, ViewState state)
        : terminal_(terminal), mailbox_(mailbox), state_(std::move(state)) {}

    // Until the user leaves; the signal that ended it, or 0.
    int run() {
        while (is_drawn()) {
            const auto input = terminal_.wait(mailbox_.descriptor(), budget());
            if (input.end_signal != 0) return input.end_signal;
            if (input.is_over || !take(input)) return 0;
        }
        return 0;
    }

private:
    bool take(const Terminal::Input& input) {
        const auto fresh = mailbox_.take();
        for (const auto& news : fresh) model_.apply(news);
        if (!fresh.empty()) next_draw_ = std::min(next_draw_, last_draw_ + kDrawAtMostIn);
        is_due_ = is_due_ || input.is_resized || !input.keys.empty();
        const bool was_paused = state_.is_paused;
        for (const auto& key : read_keys(input.keys)) {
            if (!press(key, state_)) return false;
        }
        // The model goes on behind a picture that stands still.
        if (state_.is_paused && !was_paused) paused_.emplace(model_, gateway_now(model_));
        if (!state_.is_paused) paused_.reset();
        return true;
    }

    // News wait for the next picture, which comes soon.
    [[nodiscard]] Duration budget() const {
        const auto left = std::chrono::ceil<Duration>(next_draw_ - SystemClock().boot_now());
        return std::clamp(left, Duration::zero(), kDrawEvery);
    }

    // False if the terminal is gone.
    bool is_drawn() {
        const auto now = SystemClock().boot_now();
        if (!is_due_ && now < next_draw_) return true;
        is_due_ = false;
        last_draw_ = now;
        next_draw_ = now + kDrawEvery;
        const auto size = window_size().value_or(WindowSize{});
        state_.width = size.width;
        state_.height = size.height;
        if (paused_) return terminal_.draw(render(paused_->first, state_, paused_->second));
        return terminal_.draw(render(model_, state_, gateway_now(model_)));
    }

    Terminal& terminal_;
    Mailbox& mailbox_;
    ViewState state_;
    Model model_;
    std::optional<std::pair<Model, WallTime>> paused_;
    BootTime last_draw_{};
    BootTime next_draw_{};
    bool is_due_ = true;
};

// Ends as the signal asked, once everything is as it was.
void end_by(int signal) {
    static_cast<void>(std::signal(signal, SIG_DFL));
    static_cast<void>(std::raise(signal));
}

Result<> watch(const HttpsOptions& options, const ViewState& state, const std::string& prefix) {
    Mailbox mailbox;
    Feed feed(options, prefix, [&mailbox](News news) { mailbox.put(std::move(news)); });
    // While a fault can still be told as a line on the shell.
    if (auto connected = feed.connect(); !connected) return connected;
    int signal = 0;
    {
        auto terminal = Terminal::open();
        if (!terminal) return std::unexpected(terminal.error());
        const FeedThread thread(feed, mailbox);
        signal = Screen(**terminal, mailbox, state).run();
    }
    if (signal != 0) end_by(signal);
    return {};
}

Result<> print_once(const HttpsOptions& options, ViewState state, const std::string& prefix) {
    Model model;
    Feed feed(options, prefix, [&model](const News& news) { model.apply(news); });
    if (auto connected = feed.connect(); !connected) return connected;
    if (auto caught_up = feed.catch_up(); !caught_up) return caught_up;
    if (const auto size = window_size()) state.width = size->width;
    for (const auto& line : render(model, state, gateway_now(model)))
        std::printf("%s\n", line.text.c_str());
    return {};
}

}  // namespace
}  // namespace top

ExitCode run(const TopCommand& command) {
    auto options = api_connection(command.connection);
    if (!options) return report(options.error());
    options->timeout = top::kAnswerWithin;
    top::ViewState state{.url = command.connection.url};
    const bool is_live = !command.is_once && top::is_terminal();
    state.has_keys = is_live;
    const auto done = is_live ? top::watch(*options, state, command.prefix)
                              : top::print_once(*options, state, command.prefix);
    return done ? ExitCode::Ok : report(done.error());
}

}  // namespace fencegate::cli
