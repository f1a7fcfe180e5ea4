#pragma once
// A program on a terminal of its own: what it draws is read, keys are typed, the window is resized.
//
// Owns the terminal and the process; the destructor kills and reaps it.
// Thread rule: one thread. Errors: std::runtime_error when it cannot start or a deadline passes.

#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <termios.h>
#include <vector>

namespace fencegate::testing {

struct WindowSize {
    unsigned short width = 80;
    unsigned short height = 24;
};

class TerminalProcess {
public:
    TerminalProcess(const std::filesystem::path& binary, const std::vector<std::string>& arguments,
                    WindowSize window = {});
    ~TerminalProcess();
    TerminalProcess(const TerminalProcess&) = delete;
    TerminalProcess& operator=(const TerminalProcess&) = delete;

    void type(std::string_view keys) const;
    void resize(WindowSize window) const;
    void signal(int number) const;

    // Everything up to and including `marker`.
    std::string read_until(std::string_view marker);
    // The next picture, a line each, without colours: what stands between "cursor home" and "erase
    // what is below".
    std::vector<std::string> next_picture();
    // Reads pictures until one has a line with this in it; joined by newlines.
    std::string await_picture_with(std::string_view words);
    std::string await_picture_without(std::string_view words);
    // All that comes until the program has closed its end.
    std::string rest();

    // The exit code, or 128 + n when signal n ended it. Waits for the end.
    int wait_for_exit();
    // Until it has been stopped, as by Ctrl-Z.
    void await_stop() const;
    // How the terminal treats what is typed.
    [[nodiscard]] termios mode() const;
    [[nodiscard]] const termios& mode_at_start() const { return found_; }

private:
    bool read_more();
    std::string await_picture(std::string_view words, bool is_wanted);

    pid_t pid_ = -1;
    int terminal_ = -1;
    termios found_{};
    std::string unread_;
    bool has_ended_ = false;
};

// Whether two modes are the same in all that a program can set.
[[nodiscard]] bool is_same_mode(const termios& one, const termios& two);

}  // namespace fencegate::testing
