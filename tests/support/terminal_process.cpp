#include "tests/support/terminal_process.hpp"

#include "tests/support/deadline.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <pty.h>
#include <stdexcept>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <utmp.h>

namespace fencegate::testing {
namespace {

constexpr std::chrono::seconds kPatience{15};
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kEraseBelow = "\x1b[J";

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error("terminal: " + what); }

winsize size_of(WindowSize window) {
    winsize size{};
    size.ws_col = window.width;
    size.ws_row = window.height;
    return size;
}

std::string without_colours(std::string_view text) {
    std::string plain;
    while (!text.empty()) {
        if (text.front() == '\x1b') {
            const auto end = text.find_first_of("mK");
            if (end == std::string_view::npos) fail("an escape sequence without its end");
            text.remove_prefix(end + 1);
            continue;
        }
        if (text.front() != '\r') plain += text.front();
        text.remove_prefix(1);
    }
    return plain;
}

}  // namespace

TerminalProcess::TerminalProcess(const std::filesystem::path& binary,
                                 const std::vector<std::string>& arguments, WindowSize window) {
    // Made before the fork: behind it only exec is safe.
    std::vector<std::string> texts{binary.string()};
    texts.insert(texts.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (auto& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    const auto size = size_of(window);
    int inner = -1;
    if (::openpty(&terminal_, &inner, nullptr, nullptr, &size) != 0) fail("openpty");
    ::tcgetattr(inner, &found_);
    pid_ = ::fork();
    if (pid_ < 0) fail("fork");
    if (pid_ == 0) {
        ::login_tty(inner);
        ::execv(pointers.front(), pointers.data());
        ::_exit(127);
    }
    ::close(inner);
}

TerminalProcess::~TerminalProcess() {
    if (!has_ended_) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    ::close(terminal_);
}

void TerminalProcess::type(std::string_view keys) const {
    if (::write(terminal_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size()))
        fail("cannot type");
}

void TerminalProcess::resize(WindowSize window) const {
    const auto size = size_of(window);
    if (::ioctl(terminal_, TIOCSWINSZ, &size) != 0) fail("cannot resize");
}

void TerminalProcess::signal(int number) const { ::kill(pid_, number); }

// False at the end of all output.
bool TerminalProcess::read_more() {
    pollfd entry{.fd = terminal_, .events = POLLIN, .revents = 0};
    const Deadline deadline(kPatience);
    int ready = -1;
    do {
        ready = ::poll(&entry, 1, deadline.remaining_ms());
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0) fail("deadline passed; unread: " + unread_);
    char bytes[4096];
    const auto got = ::read(terminal_, bytes, sizeof bytes);
    if (got <= 0) return false;  // EIO: nobody has the other end open
    unread_.append(bytes, static_cast<std::size_t>(got));
    return true;
}

std::string TerminalProcess::read_until(std::string_view marker) {
    auto at = unread_.find(marker);
    while (at == std::string::npos) {
        if (!read_more()) fail("ended before it wrote what was waited for; unread: " + unread_);
        at = unread_.find(marker);
    }
    auto text = unread_.substr(0, at + marker.size());
    unread_.erase(0, at + marker.size());
    return text;
}

std::vector<std::string> TerminalProcess::next_picture() {
    static_cast<void>(read_until(kHome));
    const auto text = read_until(kEraseBelow);
    const auto plain = without_colours(text.substr(0, text.size() - kEraseBelow.size()));
    std::vector<std::string> lines(1);
    for (const char letter : plain) {
        if (letter == '\n') {
            lines.emplace_back();
        } else {
            lines.back() += letter;
        }
    }
    return lines;
}

std::string TerminalProcess::await_picture(std::string_view words, bool is_wanted) {
    const Deadline deadline(kPatience);
    std::string joined;
    while (!deadline.has_passed()) {
        joined.clear();
        for (const auto& line : next_picture()) joined += line + "\n";
        if ((joined.find(words) != std::string::npos) == is_wanted) return joined;
    }
    fail("no such picture within the deadline: " + std::string(words) + "\n" + joined);
}

std::string TerminalProcess::await_picture_with(std::string_view words) {
    return await_picture(words, true);
}

std::string TerminalProcess::await_picture_without(std::string_view words) {
    return await_picture(words, false);
}

std::string TerminalProcess::rest() {
    while (read_more()) {
    }
    return std::exchange(unread_, {});
}

int TerminalProcess::wait_for_exit() {
    unread_ += rest();
    int status = 0;
    ::waitpid(pid_, &status, 0);
    has_ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void TerminalProcess::await_stop() const {
    siginfo_t stopped{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED | WEXITED | WNOWAIT);
    if (stopped.si_code != CLD_STOPPED) fail("ended instead of being stopped");
}

termios TerminalProcess::mode() const {
    termios mode{};
    if (::tcgetattr(terminal_, &mode) != 0) fail("tcgetattr");
    return mode;
}

bool is_same_mode(const termios& one, const termios& two) {
    return one.c_iflag == two.c_iflag && one.c_oflag == two.c_oflag && one.c_cflag == two.c_cflag &&
           one.c_lflag == two.c_lflag && std::ranges::equal(one.c_cc, two.c_cc);
}

}  // namespace fencegate::testing
