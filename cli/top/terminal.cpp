#include "cli/top/terminal.hpp"

#include "base/start_failure.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <utility>

namespace fencegate::cli::top {
namespace {

// xterm control sequences. No line is wrapped, so that a wrong width shows less and breaks nothing.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view kLeave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kEraseLine = "\x1b[K";
constexpr std::string_view kEraseBelow = "\x1b[J";

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};

std::string_view colour_of(Tone tone) {
    switch (tone) {
        case Tone::Plain: return "\x1b[0m";
        case Tone::Bar: return "\x1b[0;7m";
        case Tone::Heading: return "\x1b[0;1m";
        case Tone::Faint: return "\x1b[0;2m";
        case Tone::Warning: return "\x1b[0;33m";
        case Tone::Alarm: return "\x1b[0;31m";
    }
    return {};
}

bool write_all(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

sigset_t watched_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : kSignals) ::sigaddset(&set, signal);
    return set;
}

}  // namespace

bool is_terminal() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1; }

std::optional<WindowSize> window_size() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return std::nullopt;
    // A line that knows no size says 0.
    const WindowSize usual;
    return WindowSize{size.ws_col > 0 ? size.ws_col : usual.width,
                      size.ws_row > 0 ? size.ws_row : usual.height};
}

Result<std::unique_ptr<Terminal>> Terminal::open() {
    std::unique_ptr<Terminal> terminal(new Terminal);
    const auto set = watched_signals();
    ::pthread_sigmask(SIG_BLOCK, &set, &terminal->found_mask_);
    terminal->signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    const bool is_known = ::tcgetattr(STDIN_FILENO, &terminal->found_) == 0;
    if (terminal->signals_ >= 0 && is_known) {
        terminal->enter();
        return terminal;
    }
    return fail_start(StartFailure::Unavailable,
                      std::string("cannot use the terminal: ") + std::strerror(errno));
}

Terminal::~Terminal() {
    leave();
    if (signals_ >= 0) ::close(signals_);
    ::pthread_sigmask(SIG_SETMASK, &found_mask_, nullptr);
}

void Terminal::enter() {
    is_entered_ = true;
    auto mode = found_;
    mode.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON);  // Ctrl-C and Ctrl-Z stay signals
    mode.c_cc[VMIN] = 0;
    mode.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &mode);
    static_cast<void>(write_all(kEnter));
}

void Terminal::leave() {
    if (!std::exchange(is_entered_, false)) return;
    static_cast<void>(write_all(kLeave));
    // What was typed and not read is not for the shell.
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &found_);
}

// As if it had never been watched for, then as if nothing had been.
void Terminal::stop_and_come_back() {
    leave();
    static_cast<void>(std::raise(SIGSTOP));
    if (::tcgetattr(STDIN_FILENO, &found_) == 0) enter();
}

bool Terminal::draw(const std::vector<Line>& picture) {
    std::string bytes(kHome);
    for (std::size_t at = 0; at < picture.size(); ++at) {
        if (at > 0) bytes += "\r\n";
        bytes.append(colour_of(picture[at].tone)).append(picture[at].text);
        bytes.append(colour_of(Tone::Plain)).append(kEraseLine);
    }
    bytes.append(kEraseBelow);
    return write_all(bytes);
}

void Terminal::take_signals(Input& input) {
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
        switch (static_cast<int>(info.ssi_signo)) {
            case SIGINT: input.is_over = true; break;
            case SIGWINCH:
            case SIGCONT: input.is_resized = true; break;
            case SIGTSTP:
                stop_and_come_back();
                input.is_resized = true;
                break;
            default: input.end_signal = static_cast<int>(info.ssi_signo);
        }
    }
}

Terminal::Input Terminal::wait(int other, Duration budget) {
    std::array<pollfd, 3> entries{pollfd{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                                  pollfd{.fd = signals_, .events = POLLIN, .revents = 0},
                                  pollfd{.fd = other, .events = POLLIN, .revents = 0}};
    Input input;
    if (::poll(entries.data(), entries.size(), static_cast<int>(budget.count())) <= 0) return input;
    if (entries[1].revents != 0) take_signals(input);
    if (entries[0].revents != 0) {
        std::array<char, 256> bytes{};
        const auto got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
        if (got > 0) input.keys.assign(bytes.data(), static_cast<std::size_t>(got));
        const bool is_empty = got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
        if (is_empty && (entries[0].revents & (POLLHUP | POLLERR)) != 0) input.is_over = true;
    }
    return input;
}

}  // namespace fencegate::cli::top
