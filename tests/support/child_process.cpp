#include "tests/support/child_process.hpp"

#include "tests/support/temp_dir.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fencegate::testing {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error("child: " + what); }

void check(int error, const char* what) {
    if (error != 0) fail(std::string(what) + ": " + std::strerror(error));
}

void close_if_open(int& descriptor) {
    if (descriptor >= 0) ::close(descriptor);
    descriptor = -1;
}

bool wait_readable(int descriptor, const Deadline& deadline) {
    pollfd entry{.fd = descriptor, .events = POLLIN, .revents = 0};
    int ready = -1;
    do {
        ready = ::poll(&entry, 1, deadline.remaining_ms());
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

// What posix_spawn is told; owns the C objects.
class SpawnPlan {
public:
    SpawnPlan() {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawnattr_init(&attributes_);
        // The test ignores SIGPIPE; a program under test starts with the default.
        sigset_t defaults;
        ::sigemptyset(&defaults);
        ::sigaddset(&defaults, SIGPIPE);
        ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
        ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF);
    }
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    void use(int descriptor, int as) {
        check(::posix_spawn_file_actions_adddup2(&actions_, descriptor, as), "dup2");
    }
    void append_to(const std::filesystem::path& file, int as) {
        check(::posix_spawn_file_actions_addopen(&actions_, as, file.c_str(),
                                                 O_WRONLY | O_CREAT | O_APPEND, 0600),
              "open");
    }
    pid_t run(const ChildOptions& options) const {
        auto arguments = options.arguments;
        arguments.insert(arguments.begin(), options.binary.string());
        auto environment = options.environment;
        for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
        pid_t pid = -1;
        const int error = ::posix_spawn(&pid, options.binary.c_str(), &actions_, &attributes_,
                                        pointers(arguments).data(), pointers(environment).data());
        check(error, options.binary.c_str());
        return pid;
    }

private:
    static std::vector<char*> pointers(std::vector<std::string>& texts) {
        std::vector<char*> result;
        for (auto& text : texts) result.push_back(text.data());
        result.push_back(nullptr);
        return result;
    }

    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

}  // namespace

ChildProcess::ChildProcess(const ChildOptions& options) {
    int input[2] = {-1, -1};
    int output[2] = {-1, -1};
    if (::pipe2(input, O_CLOEXEC) != 0 || ::pipe2(output, O_CLOEXEC) != 0) fail("pipe");
    to_child_ = input[1];
    from_child_ = output[0];
    SpawnPlan plan;
    plan.use(input[0], STDIN_FILENO);
    if (options.stdout_file.empty()) {
        plan.use(output[1], STDOUT_FILENO);
    } else {
        plan.append_to(options.stdout_file, STDOUT_FILENO);
    }
    if (!options.stderr_file.empty()) plan.append_to(options.stderr_file, STDERR_FILENO);
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    pid_ = plan.run(options);
    ::close(input[0]);
    ::close(output[1]);
    // Not pidfd_open(): glibc 2.36 declares it without C linkage.
    exit_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (exit_fd_ < 0) fail("pidfd_open");
}

ChildProcess::~ChildProcess() {
    signal(SIGKILL);
    static_cast<void>(wait(std::chrono::seconds(10)));
    close_if_open(to_child_);
    close_if_open(from_child_);
    close_if_open(exit_fd_);
}

void ChildProcess::signal(int number) const {
    if (!exit_code_) ::kill(pid_, number);
}

// kill() alone returns while threads still run: one of them would go on to answer a request.
void ChildProcess::pause() const {
    signal(SIGSTOP);
    siginfo_t stopped{};
    if (!exit_code_) {
        ::waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED | WEXITED | WNOWAIT);
    }
}

std::optional<int> ChildProcess::wait(std::chrono::milliseconds budget) {
    if (exit_code_ || !wait_readable(exit_fd_, Deadline(budget))) return exit_code_;
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_) return exit_code_;
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return exit_code_;
}

void ChildProcess::write_line(std::string_view line) {
    std::string text(line);
    text += '\n';
    // A line is shorter than PIPE_BUF, so one write takes it whole.
    if (::write(to_child_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        fail("cannot write \"" + std::string(line) + "\": " + std::strerror(errno));
    }
}

std::string ChildProcess::read_line(std::chrono::milliseconds budget) {
    const Deadline deadline(budget);
    auto end = unread_.find('\n');
    while (end == std::string::npos) {
        if (!wait_readable(from_child_, deadline)) fail("deadline passed while awaiting a line");
        char bytes[4096];
        const auto got = ::read(from_child_, bytes, sizeof bytes);
        if (got <= 0) fail("ended before it wrote a line; so far: " + unread_);
        unread_.append(bytes, static_cast<std::size_t>(got));
        end = unread_.find('\n');
    }
    auto line = unread_.substr(0, end);
    unread_.erase(0, end + 1);
    return line;
}

void ChildProcess::close_input() { close_if_open(to_child_); }

CommandResult run_command(const std::filesystem::path& binary,
                          const std::vector<std::string>& arguments,
                          std::chrono::milliseconds budget) {
    const TempDir folder;
    const auto out = folder.path() / "out";
    const auto err = folder.path() / "err";
    ChildProcess child(
        {.binary = binary, .arguments = arguments, .stdout_file = out, .stderr_file = err});
    child.close_input();
    const auto code = child.wait(budget);
    CommandResult result{
        .exit_code = code.value_or(-1), .out = read_file(out), .err = read_file(err)};
    if (code) return result;
    fail("deadline passed while running " + binary.string() + ": " + result.out + result.err);
}

std::string read_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace fencegate::testing
