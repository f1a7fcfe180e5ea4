#include "tests/support/gateway_process.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <exception>
#include <fstream>
#include <iostream>
#include <poll.h>
#include <stdexcept>
#include <sys/inotify.h>
#include <unistd.h>
#include <utility>

#ifndef FENCEGATE_BINARY
#define FENCEGATE_BINARY ""
#endif

namespace fencegate::testing {
namespace {

constexpr std::size_t kTailBytes = 4'000;

// "127.0.0.1:4711" and "[::1]:4711".
Endpoint parse_endpoint(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return {};
    auto host = text.substr(0, colon);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    Endpoint endpoint{.host = std::string(host), .port = 0};
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), endpoint.port);
    return endpoint;
}

std::string last_word(std::string_view text) {
    const auto end = text.find_last_not_of(" \t\r\n");
    if (end == std::string_view::npos) return {};
    text = text.substr(0, end + 1);
    return std::string(text.substr(text.find_last_of(" \t\r\n") + 1));
}

// Tells of files that were written or moved into a folder.
class FolderWatch {
public:
    explicit FolderWatch(const std::filesystem::path& folder)
        : descriptor_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
        if (::inotify_add_watch(descriptor_, folder.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
            throw std::runtime_error("inotify: cannot watch " + folder.string());
        }
    }
    ~FolderWatch() { ::close(descriptor_); }
    FolderWatch(const FolderWatch&) = delete;
    FolderWatch& operator=(const FolderWatch&) = delete;

    [[nodiscard]] int descriptor() const { return descriptor_; }
    void drain() const {
        char events[4096];
        while (::read(descriptor_, events, sizeof events) > 0) {
        }
    }

private:
    int descriptor_;
};

// On free ports unless `more` names them.
std::vector<std::string> serve_arguments(const std::filesystem::path& data_dir,
                                         const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"serve", "--data-dir", data_dir.string()};
    for (const std::string name : {"--listen", "--admin-listen"})
        if (std::ranges::count(more, name) == 0)
            arguments.insert(arguments.end(), {name, "127.0.0.1:0"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

}  // namespace

GatewayProcess::GatewayProcess(GatewayOptions options)
    : options_(std::move(options)), exceptions_at_birth_(std::uncaught_exceptions()) {
    if (options_.binary.empty()) options_.binary = FENCEGATE_BINARY;
    std::filesystem::create_directory(folder_.path() / "run");
    try {
        start();
    } catch (...) {
        print_tail();  // no destructor will
        throw;
    }
}

GatewayProcess::~GatewayProcess() {
    kill9();
    const bool failing = std::uncaught_exceptions() > exceptions_at_birth_;
    if (failing || ::testing::Test::HasFailure()) print_tail();
}

void GatewayProcess::start() {
    const auto ready_file = folder_.path() / "run" / "ready.json";
    const auto log = folder_.path() / "output.log";
    std::filesystem::remove(ready_file);
    auto arguments = serve_arguments(data_dir(), options_.arguments);
    arguments.insert(arguments.end(), {"--ready-file", ready_file.string()});
    if (!options_.configuration.empty()) {
        const auto file = folder_.path() / "gateway.toml";
        std::ofstream(file) << options_.configuration;
        arguments.insert(arguments.end(), {"--config", file.string()});
    }
    child_ = std::make_unique<ChildProcess>(ChildOptions{.binary = options_.binary,
                                                         .arguments = std::move(arguments),
                                                         .environment = options_.environment,
                                                         .stdout_file = log,
                                                         .stderr_file = log});
    child_->close_input();
    await_ready();
}

void GatewayProcess::await_ready() {
    const FolderWatch watch(folder_.path() / "run");
    const Deadline deadline(options_.deadline);
    // The watch began after the spawn, so the file is looked for before the first wait.
    while (!read_ready_file()) {
        pollfd entries[] = {{.fd = watch.descriptor(), .events = POLLIN, .revents = 0},
                            {.fd = child_->exit_fd(), .events = POLLIN, .revents = 0}};
        const int ready = ::poll(entries, 2, deadline.remaining_ms());
        if (ready == 0) fail("not ready within the deadline");
        if (entries[1].revents != 0) {
            const auto code = child_->wait(std::chrono::milliseconds(0));
            fail("ended before it was ready, exit code " + std::to_string(code.value_or(-1)));
        }
        watch.drain();
    }
}

// False while the file is absent or only half written.
bool GatewayProcess::read_ready_file() {
    boost::json::error_code ec;
    const auto document = boost::json::parse(read_file(folder_.path() / "run" / "ready.json"), ec);
    if (ec || !document.is_object()) return false;
    const auto endpoint = [&](const char* member) {
        const auto* text = document.get_object().if_contains(member);
        const bool is_text = text != nullptr && text->is_string();
        return is_text ? parse_endpoint(text->get_string()) : Endpoint{};
    };
    listen_ = endpoint("listen");
    admin_listen_ = endpoint("admin_listen");
    if (listen_.port != 0 && admin_listen_.port != 0) return true;
    fail("the ready file does not name both addresses");
}

int GatewayProcess::stop() {
    signal(SIGTERM);
    signal(SIGCONT);  // a paused process would never see the SIGTERM
    return wait_for_exit();
}

int GatewayProcess::wait_for_exit() {
    if (!child_) fail("is not running");
    const auto code = child_->wait(options_.deadline);
    if (!code) fail("did not end within the deadline");
    child_.reset();
    return *code;
}

void GatewayProcess::kill9() { child_.reset(); }

void GatewayProcess::restart() {
    if (child_) stop();
    start();
}

void GatewayProcess::restart(std::vector<std::string> arguments) {
    options_.arguments = std::move(arguments);
    restart();
}

void GatewayProcess::restart_with(std::string configuration) {
    options_.configuration = std::move(configuration);
    restart();
}

void GatewayProcess::pause() {
    if (!child_) fail("is not running, yet paused");
    child_->pause();
}
void GatewayProcess::resume() { signal(SIGCONT); }

void GatewayProcess::signal(int number) const {
    if (!child_) fail("is not running, yet signalled");
    child_->signal(number);
}

pid_t GatewayProcess::pid() const { return child_ ? child_->pid() : -1; }

std::string GatewayProcess::output() const { return read_file(folder_.path() / "output.log"); }

std::string GatewayProcess::api_key() const {
    auto key = last_word(read_file(data_dir() / "api-key"));
    if (key.empty()) fail("left no api-key in its data folder");
    return key;
}

HttpsClient::Options GatewayProcess::client_options() const {
    HttpsClient::Options options;
    options.host = listen_.host;
    options.port = listen_.port;
    options.ca_file = ca_file();
    return options;
}

HttpsClient::Options GatewayProcess::keyed_options() const {
    auto options = client_options();
    options.api_key = api_key();
    return options;
}

HttpsClient GatewayProcess::client() const { return client(api_key()); }
HttpsClient GatewayProcess::client(std::string api_key) const {
    return connected(listen_, std::move(api_key));
}

HttpsClient GatewayProcess::admin_client() const { return admin_client(api_key()); }
HttpsClient GatewayProcess::admin_client(std::string api_key) const {
    return connected(admin_listen_, std::move(api_key));
}

HttpsClient GatewayProcess::connected(const Endpoint& to, std::string api_key) const {
    auto options = client_options();
    options.host = to.host;
    options.port = to.port;
    options.api_key = std::move(api_key);
    HttpsClient client(std::move(options));
    client.connect();
    return client;
}

std::string GatewayProcess::url_of(const Endpoint& endpoint) {
    return "https://" + endpoint.host + ":" + std::to_string(endpoint.port);
}

std::string GatewayProcess::add_key(std::string_view principal,
                                    const std::vector<std::string>& scopes) {
    std::vector<std::string> arguments{
        "key", "add", "--principal", std::string(principal), "--data-dir", data_dir().string()};
    for (const auto& scope : scopes) {
        arguments.emplace_back("--scope");
        arguments.push_back(scope);
    }
    const auto added = run_cli(arguments);
    if (added.exit_code != 0) fail("`key add` failed: " + added.out + added.err);
    auto key = last_word(added.out);
    if (!is_running()) return key;
    signal(SIGHUP);
    await_key(key);
    return key;
}

// A reload happens some time after its signal: the key is good once it is no longer refused.
void GatewayProcess::await_key(const std::string& key) const {
    const Deadline deadline(options_.deadline);
    while (client(key).request("GET", "/v1/locks?limit=1").status == 401) {
        if (deadline.has_passed()) fail("does not accept the new key within the deadline");
        pollfd ended{.fd = child_->exit_fd(), .events = POLLIN, .revents = 0};
        if (::poll(&ended, 1, 5) > 0) fail("ended while it reloaded its keys");
    }
}

CommandResult GatewayProcess::run_cli(const std::vector<std::string>& arguments) const {
    return run_command(options_.binary, arguments, options_.deadline);
}

CommandResult GatewayProcess::run_serve(const std::filesystem::path& data_dir,
                                        const std::vector<std::string>& more) const {
    return run_cli(serve_arguments(data_dir, more));
}

CommandResult GatewayProcess::run_on_data(std::string_view command,
                                          const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{std::string(command), "--data-dir", data_dir().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_cli(arguments);
}

void GatewayProcess::fail(const std::string& what) const {
    throw std::runtime_error("gateway " + what);
}

void GatewayProcess::print_tail() const {
    const auto text = output();
    const auto start = text.size() > kTailBytes ? text.size() - kTailBytes : 0;
    std::cerr << "---- gateway output ----\n" << text.substr(start) << "\n----\n";
}

}  // namespace fencegate::testing
