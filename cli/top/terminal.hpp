#pragma once
// Terminal: the user's screen while `fencegate top` has it: the alternate screen, keys without
// Enter, and signals as values.
// Owns: the terminal's modes and the mask of signals, both given back on destruction. A program
// that is told to end, stopped or continued leaves the terminal as it was found.
// Thread rule: made before any other thread, so that no other is given a signal; one thread.

#include "base/result.hpp"
#include "cli/top/view.hpp"

#include <csignal>
#include <memory>
#include <string>
#include <termios.h>

namespace fencegate::cli::top {

struct WindowSize {
    std::size_t width = 80;
    std::size_t height = 24;
};

// Whether both ends of the user are there: keys come from stdin, the picture goes to stdout.
[[nodiscard]] bool is_terminal();
// Of stdout, if it is a terminal.
[[nodiscard]] std::optional<WindowSize> window_size();

class Terminal {
public:
    // REQUIRES: is_terminal(). Fails with: fail_start(Unavailable).
    [[nodiscard]] static Result<std::unique_ptr<Terminal>> open();
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    // False if the terminal is gone. REQUIRES: lines fit the window.
    [[nodiscard]] bool draw(const std::vector<Line>& picture);

    struct Input {
        std::string keys{};       // bytes, as they came
        bool is_resized = false;  // or came back from a stop: draw anew
        bool is_over = false;     // the user interrupted it, or the terminal is gone
        int end_signal = 0;       // it was told to end by this
    };
    // Until there is input, `other` can be read, or `budget` is over.
    [[nodiscard]] Input wait(int other, Duration budget);

private:
    Terminal() = default;
    void enter();
    void leave();
    void stop_and_come_back();
    void take_signals(Input& input);

    termios found_{};
    sigset_t found_mask_{};
    int signals_ = -1;
    bool is_entered_ = false;
};

}  // namespace fencegate::cli::top
