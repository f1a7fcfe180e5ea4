#pragma once
// A child program of a test: spawned, signalled, spoken to in lines, and never left behind.
//
// Owns the process, its pidfd and its pipes; the destructor kills and reaps it, paused or not.
// Thread rule: one thread. Errors: std::runtime_error when it cannot start or a deadline passes.

#include "tests/support/deadline.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace fencegate::testing {

// Initialisers, so that a test names only the members it cares about.
struct ChildOptions {
    std::filesystem::path binary{};
    std::vector<std::string> arguments{};
    std::vector<std::string> environment{};  // "NAME=value", before the test's own
    std::filesystem::path stdout_file{};     // appended to; empty: piped, see read_line()
    std::filesystem::path stderr_file{};     // appended to; empty: the test's own stderr
};

class ChildProcess {
public:
    explicit ChildProcess(const ChildOptions& options);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    // Readable once the child has ended: for a poll together with other descriptors.
    [[nodiscard]] int exit_fd() const { return exit_fd_; }

    // Of no effect once the child has been waited for.
    void signal(int number) const;
    // SIGSTOP. On return every thread of the child stands still, or the child has ended.
    void pause() const;
    // The exit code, 128 + n when signal n ended it, nothing when the deadline passed first.
    [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds budget);

    void write_line(std::string_view line);
    // Without its newline. Throws when none arrives in time or the child closed its end.
    [[nodiscard]] std::string read_line(
        std::chrono::milliseconds budget = std::chrono::seconds(10));
    void close_input();

private:
    pid_t pid_ = -1;
    int exit_fd_ = -1;
    int to_child_ = -1;
    int from_child_ = -1;
    std::optional<int> exit_code_;
    std::string unread_;
};

struct CommandResult {
    int exit_code = -1;
    std::string out{};
    std::string err{};
};

// Runs a program to its end, its standard input empty.
[[nodiscard]] CommandResult run_command(
    const std::filesystem::path& binary, const std::vector<std::string>& arguments,
    std::chrono::milliseconds budget = std::chrono::seconds(20));

[[nodiscard]] std::string read_file(const std::filesystem::path& file);  // "" when absent

}  // namespace fencegate::testing
