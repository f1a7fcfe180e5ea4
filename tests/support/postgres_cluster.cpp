#include "tests/support/postgres_cluster.hpp"

#include <libpq-fe.h>

#include <csignal>
#include <poll.h>
#include <pwd.h>
#include <stdexcept>
#include <unistd.h>
#include <vector>

namespace fencegate::testing {
namespace {

constexpr const char* kAdmin = "admin";
constexpr const char* kRole = "fencegate";
constexpr std::chrono::seconds kPatience{60};

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error("postgres: " + what); }

// Where Debian has the programs of the server.
std::filesystem::path binary(const std::string& name) {
    for (const auto* version : {"17", "16", "15", "14"}) {
        const auto file = std::filesystem::path("/usr/lib/postgresql") / version / "bin" / name;
        if (std::filesystem::exists(file)) return file;
    }
    fail("there is no " + name + " in /usr/lib/postgresql");
}

const ::passwd* server_user() {
    const auto* user = ::getpwnam("postgres");
    return user != nullptr ? user : ::getpwnam("nobody");
}

// `program` and its arguments, as the unprivileged user; it ends when the test does.
ChildOptions as_server(const std::filesystem::path& program, std::vector<std::string> arguments,
                       const std::filesystem::path& log) {
    if (::geteuid() == 0) {
        std::vector<std::string> outer{"--reuid=" + std::to_string(server_user()->pw_uid),
                                       "--regid=" + std::to_string(server_user()->pw_gid),
                                       "--clear-groups",
                                       "--pdeathsig=INT",
                                       "--",
                                       program.string()};
        outer.insert(outer.end(), arguments.begin(), arguments.end());
        return {.binary = "/usr/bin/setpriv",
                .arguments = std::move(outer),
                .stdout_file = log,
                .stderr_file = log};
    }
    return {.binary = program,
            .arguments = std::move(arguments),
            .stdout_file = log,
            .stderr_file = log};
}

}  // namespace

PostgresCluster::PostgresCluster() {
    const auto data = folder_ / "data";
    const auto log = folder_ / "log";
    if (::geteuid() == 0 &&
        ::chown(folder_.path().c_str(), server_user()->pw_uid, server_user()->pw_gid) != 0)
        fail("chown");
    ChildProcess made(
        as_server(binary("initdb"),
                  {"-D", data.string(), "-U", kAdmin, "-A", "trust", "--no-sync", "-E", "UTF8",
                   "--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8"},
                  log));
    made.close_input();
    if (made.wait(kPatience) != 0) fail("initdb: " + read_file(log));
    start();
    run(admin_url("postgres"), std::string("CREATE ROLE ") + kRole + " LOGIN");
}

PostgresCluster::~PostgresCluster() {
    if (!server_) return;
    server_->signal(SIGQUIT);
    static_cast<void>(server_->wait(std::chrono::seconds(10)));
}

// What a server that was killed has left behind may keep the next one from starting for a moment.
void PostgresCluster::start() {
    const Deadline deadline(kPatience);
    do {
        if (deadline.has_passed()) fail("did not start: " + read_file(folder_ / "log"));
        server_ = std::make_unique<ChildProcess>(
            as_server(binary("postgres"),
                      {"-D", (folder_ / "data").string(), "-k", folder_.path().string(), "-c",
                       "listen_addresses=", "-c", "shared_buffers=16MB", "-c", "max_connections=40",
                       "-c", "autovacuum=off"},
                      folder_ / "log"));
        server_->close_input();
    } while (!is_ready_until(deadline));
}

void PostgresCluster::kill9() {
    server_->signal(SIGKILL);
    static_cast<void>(server_->wait(kPatience));
    server_.reset();
}

// False: it ended instead.
bool PostgresCluster::is_ready_until(const Deadline& deadline) const {
    while (::PQping(admin_url("postgres").c_str()) != PQPING_OK) {
        pollfd ended{.fd = server_->exit_fd(), .events = POLLIN, .revents = 0};
        if (deadline.has_passed() || ::poll(&ended, 1, 5) > 0) return false;
    }
    return true;
}

std::string PostgresCluster::admin_url(const std::string& database) const {
    return "host=" + folder_.path().string() + " user=" + kAdmin + " dbname=" + database;
}

std::string PostgresCluster::make_database() {
    const auto name = "store" + std::to_string(++databases_);
    run(admin_url("postgres"), "CREATE DATABASE " + name + " OWNER " + kRole);
    return "host=" + folder_.path().string() + " user=" + kRole + " dbname=" + name;
}

std::string PostgresCluster::run(const std::string& url, const std::string& sql) const {
    const std::unique_ptr<PGconn, decltype(&::PQfinish)> connection(
        ::PQconnectdb(admin_url(url.substr(url.find("dbname=") + 7)).c_str()), ::PQfinish);
    const std::unique_ptr<PGresult, decltype(&::PQclear)> result(
        ::PQexec(connection.get(), sql.c_str()), ::PQclear);
    const auto status = ::PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail(sql + ": " + ::PQerrorMessage(connection.get()));
    return ::PQntuples(result.get()) > 0 ? ::PQgetvalue(result.get(), 0, 0) : "";
}

}  // namespace fencegate::testing
