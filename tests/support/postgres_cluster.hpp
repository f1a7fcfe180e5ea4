#pragma once
// PostgresCluster: a PostgreSQL of the test's own, in a folder of its own, reached by a socket in
// it. fsync is on, as a store demands; text sorts by the rules of a language unless a column says
// otherwise, so that who forgot to say so is found. Owns the server and its data, and ends both.
// The server runs as an unprivileged user where the test is root, as PostgreSQL refuses root.
// Thread rule: one thread. Errors: std::runtime_error.

#include "tests/support/child_process.hpp"
#include "tests/support/temp_dir.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace fencegate::testing {

class PostgresCluster {
public:
    // Running on return.
    PostgresCluster();
    ~PostgresCluster();

    // An empty one, of a role that may do nothing else. Returns its url.
    [[nodiscard]] std::string make_database();
    // As an administrator, in the database of that url; returns the first value, "" for none.
    std::string run(const std::string& url, const std::string& sql) const;

    void start();
    // As when the machine loses power, but for the disk's cache.
    void kill9();

private:
    [[nodiscard]] std::string admin_url(const std::string& database) const;
    [[nodiscard]] bool is_ready_until(const Deadline& deadline) const;

    TempDir folder_;
    std::unique_ptr<ChildProcess> server_;
    int databases_ = 0;
};

}  // namespace fencegate::testing
