#pragma once
// The real `fencegate serve`, run as a child on ports of its choosing and a data folder of its own.
//
// Owns the process and the folder; a restart keeps the folder and picks new ports, so ask for
// addresses and clients again. On failure its output ends up on the test's stderr.
// Thread rule: one thread; the clients it returns are independent of it.
// Errors: std::runtime_error when it does not get ready or does not stop in time.

#include "tests/support/child_process.hpp"
#include "tests/support/https_client.hpp"
#include "tests/support/temp_dir.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::testing {

struct GatewayOptions {
    std::vector<std::string> arguments{};        // after `serve` and the ones every gateway gets
    std::string configuration{};                 // text of a file for --config; empty: none
    std::vector<std::string> environment{};      // "NAME=value"
    std::filesystem::path binary{};              // empty: FENCEGATE_BINARY of the build
    std::chrono::milliseconds deadline{20'000};  // to get ready, to stop
};

struct Endpoint {
    std::string host;
    std::uint16_t port = 0;
};

class GatewayProcess {
public:
    // Ready to serve on return.
    explicit GatewayProcess(GatewayOptions options);
    GatewayProcess() : GatewayProcess(GatewayOptions{}) {}
    ~GatewayProcess();
    GatewayProcess(const GatewayProcess&) = delete;
    GatewayProcess& operator=(const GatewayProcess&) = delete;

    // SIGTERM, then its exit code (128 + n if signal n ended it).
    int stop();
    void kill9();
    // The same data folder; stops first if still running. `arguments` replace the earlier ones.
    void restart();
    void restart(std::vector<std::string> arguments);
    void restart_with(std::string configuration);
    void start();
    void pause();   // SIGSTOP: a VM that was moved, a long GC
    void resume();  // SIGCONT
    void signal(int number) const;
    // For a child expected to end by itself, e.g. by an injected fault.
    [[nodiscard]] int wait_for_exit();
    [[nodiscard]] bool is_running() const { return child_ != nullptr; }
    [[nodiscard]] pid_t pid() const;

    [[nodiscard]] const Endpoint& listen() const { return listen_; }
    [[nodiscard]] const Endpoint& admin_listen() const { return admin_listen_; }
    [[nodiscard]] std::string url() const { return url_of(listen_); }
    [[nodiscard]] std::string admin_url() const { return url_of(admin_listen_); }
    [[nodiscard]] std::filesystem::path data_dir() const { return folder_.path() / "data"; }
    [[nodiscard]] std::filesystem::path ca_file() const { return data_dir() / "ca.pem"; }
    // Scratch space next to the data, gone with it: configuration files, backups.
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
    [[nodiscard]] std::string output() const;   // stdout and stderr of every start
    [[nodiscard]] std::string api_key() const;  // the one with every scope

    // Connected. With the first key, with another one, or with "" for none.
    [[nodiscard]] HttpsClient client() const;
    [[nodiscard]] HttpsClient client(std::string api_key) const;
    [[nodiscard]] HttpsClient admin_client() const;
    [[nodiscard]] HttpsClient admin_client(std::string api_key) const;
    // For a client with special wishes: address and CA are filled in, connect() is up to you.
    [[nodiscard]] HttpsClient::Options client_options() const;
    // With the first key too.
    [[nodiscard]] HttpsClient::Options keyed_options() const;

    // `fencegate key add`, reloaded and accepted by the gateway on return.
    std::string add_key(std::string_view principal, const std::vector<std::string>& scopes);
    // `fencegate` with these arguments, to its end; nothing is added.
    [[nodiscard]] CommandResult run_cli(const std::vector<std::string>& arguments) const;
    // One more `serve` on free ports, unless `more` names them, that must end by itself.
    [[nodiscard]] CommandResult run_serve(const std::filesystem::path& data_dir,
                                          const std::vector<std::string>& more = {}) const;
    // A command on the folder of the data: its name, --data-dir, and what else it takes.
    [[nodiscard]] CommandResult run_on_data(std::string_view command,
                                            const std::vector<std::string>& more = {}) const;

private:
    [[nodiscard]] HttpsClient connected(const Endpoint& to, std::string api_key) const;
    [[nodiscard]] static std::string url_of(const Endpoint& endpoint);
    [[nodiscard]] bool read_ready_file();
    void await_ready();
    void await_key(const std::string& key) const;
    [[noreturn]] void fail(const std::string& what) const;
    void print_tail() const;

    GatewayOptions options_;
    TempDir folder_;
    std::unique_ptr<ChildProcess> child_;
    Endpoint listen_;
    Endpoint admin_listen_;
    int exceptions_at_birth_;
};

}  // namespace fencegate::testing
