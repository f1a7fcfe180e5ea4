#pragma once
// Session: one connection to the server, set up the way the store needs it: read committed, every
// commit durable, plans by key, the schema of the store. What a start does is run on it as text;
// what is done while serving goes through Pipeline.
// Owns the connection. Thread rule: one thread. Errors: Result; a message never holds the url.

#include "base/result.hpp"
#include "storage/postgres/rows.hpp"
#include "storage/postgres/server_url.hpp"

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

struct pg_conn;

namespace fencegate::storage::postgres {

class Session {
public:
    // `name`: by which the server, and whoever takes the store over, knows it.
    // Fails with: StartFailure Unavailable (no connection), BadConfig (a server that would lose
    // what was acknowledged, or is too old).
    [[nodiscard]] static Result<Session> open(const ServerUrl& url, const std::string& name);

    // Statements without parameters, one or more. Fails with: Internal.
    [[nodiscard]] Result<> run(const char* sql);
    // One statement, with parameters as text; its rows are read as text.
    [[nodiscard]] Result<Rows> ask(const char* sql, std::initializer_list<std::string> values);

    [[nodiscard]] ::pg_conn* handle() const noexcept { return connection_.get(); }
    // Since the last time: the server warned of something.
    [[nodiscard]] bool take_warning() noexcept { return std::exchange(*has_warned_, false); }

private:
    struct Close {
        void operator()(::pg_conn* connection) const noexcept;
    };
    explicit Session(::pg_conn* connection);
    [[nodiscard]] Result<> set_up(const ServerUrl& url);
    [[nodiscard]] std::string why() const;

    std::unique_ptr<bool> has_warned_;  // has one address as long as the connection
    std::unique_ptr<::pg_conn, Close> connection_;
};

}  // namespace fencegate::storage::postgres
