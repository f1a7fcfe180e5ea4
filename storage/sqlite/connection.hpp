#pragma once
// Connection and Statement: SQLite's C API with ownership and one idea added, the poisoned
// transaction. After the first failure every statement of the connection does nothing and returns
// no row, until clear_failure(). Code between BEGIN and COMMIT can so be written straight down; the
// one place that commits looks at failure() first, and nothing decided on a failed read survives.
// Thread rule: a connection and its statements belong to one thread.
// Errors: failure(), classified by what the store must do about it.

#include "base/result.hpp"
#include "lockmgr/fencing_token.hpp"
#include "storage/model/failure.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

struct sqlite3;
struct sqlite3_stmt;

namespace fencegate::storage::sqlite {

using storage::Failure;

class Connection {
public:
    // Creates the file if there is none. Fails with: StartFailure CannotCreate.
    [[nodiscard]] static Result<std::unique_ptr<Connection>> open(
        const std::filesystem::path& file);
    // Only to read, with what is in its log; nothing is created, written or checkpointed.
    // REQUIRES: nobody else has the file open. Fails with: StartFailure CannotRead.
    [[nodiscard]] static Result<std::unique_ptr<Connection>> open_to_read(
        const std::filesystem::path& file);
    // The same as if there were no log.
    [[nodiscard]] static Result<std::unique_ptr<Connection>> open_without_log(
        const std::filesystem::path& file);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Runs statements that return nothing of interest.
    void exec(const char* sql);

    [[nodiscard]] const std::optional<Failure>& failure() const noexcept { return failure_; }
    void clear_failure() noexcept { failure_.reset(); }
    [[nodiscard]] bool is_in_transaction() const noexcept;

    // Copies the log into the database file as far as no reader is in the way, and syncs it.
    // `truncate` also empties the log file. Fails like a statement.
    void checkpoint(bool truncate);
    // Called when all of the log is in the database, and synced; before the log is emptied, if it
    // is to be. Returns whether it may be.
    void on_copied(std::function<bool(bool is_emptied_next)> told) { copied_ = std::move(told); }

    // Size of the log as of the last commit.
    [[nodiscard]] std::int64_t wal_bytes() const noexcept { return wal_bytes_; }
    [[nodiscard]] std::int64_t wal_frames() const noexcept;
    // REQUIRES: no statement sets wal_autocheckpoint afterwards; it uses the same hook.
    void watch_wal();

    [[nodiscard]] ::sqlite3* handle() const noexcept { return handle_; }
    void note_failure(int code);

private:
    // Whether all of the log is in the database now.
    [[nodiscard]] bool copy_log(int mode);

    void only_read();

    explicit Connection(::sqlite3* handle) : handle_(handle) {}
    ::sqlite3* handle_;
    std::optional<Failure> failure_;
    std::int64_t wal_bytes_ = 0;
    std::function<bool(bool is_emptied_next)> copied_{};
};

using Blob = std::span<const std::uint8_t>;

// For a column of tokens that cannot be NULL: 0 says that there is none.
[[nodiscard]] inline std::int64_t or_zero(const std::optional<lockmgr::FencingToken>& token) {
    return token ? token->value() : 0;
}

// A prepared statement. Bind by position:
//     insert_.run(token, name);
//     auto row = find_.query(token); if (row.next()) use(row.integer(0));
// REQUIRES: text and blobs that are bound outlive the run or the row.
class Statement {
public:
    // Closes the read when it goes out of scope.
    class Row {
    public:
        explicit Row(Statement& statement) : statement_(statement) {}
        ~Row() { statement_.reset(); }
        Row(const Row&) = delete;
        Row& operator=(const Row&) = delete;

        [[nodiscard]] bool next() { return statement_.step(); }
        [[nodiscard]] std::int64_t integer(int column) const;
        [[nodiscard]] std::string_view text(int column) const;  // valid until next()
        [[nodiscard]] Blob blob(int column) const;              // valid until next()
        // nullopt: NULL, the 0 of or_zero(), or what only a damaged file has for a token.
        [[nodiscard]] std::optional<lockmgr::FencingToken> token(int column) const;
        [[nodiscard]] bool is_null(int column) const;

    private:
        Statement& statement_;
    };

    // REQUIRES: `sql` is a literal. One that does not compile, because the file is damaged, is a
    // failure of the connection, and the statement never does anything.
    Statement(Connection& connection, const char* sql);
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    template <class... Values>
    [[nodiscard]] Row query(const Values&... values) {
        int at = 0;
        (bind(++at, values), ...);
        return Row(*this);
    }

    template <class... Values>
    void run(const Values&... values) {
        auto row = query(values...);
        while (row.next()) {
        }
    }

    // Rows changed by the last run().
    [[nodiscard]] int changes() const noexcept;

private:
    [[nodiscard]] bool step();
    void reset() noexcept;
    void bound(int code);
    void bind(int at, std::int64_t value);
    void bind(int at, std::string_view value);
    void bind(int at, Blob value);
    void bind(int at, lockmgr::FencingToken value) { bind(at, value.value()); }
    void bind(int at, std::nullptr_t);
    template <class T>
    void bind(int at, const std::optional<T>& value) {
        value ? bind(at, *value) : bind(at, nullptr);
    }

    Connection& connection_;
    ::sqlite3_stmt* statement_ = nullptr;
};

// Of the SQLite that is loaded.
[[nodiscard]] std::string_view library_version() noexcept;

}  // namespace fencegate::storage::sqlite
