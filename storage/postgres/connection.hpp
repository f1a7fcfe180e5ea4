#pragma once
// Connection and Statement: the pipeline that a serving gateway speaks through. What is told is
// sent and not waited for; what is asked waits, for all that was sent before it too. As with
// SQLite's, after the first failure every statement does nothing and returns no row, until
// roll_back().
//
//   begin -> BEGIN goes out with whatever comes first
//         -> the fence, with whatever is told first: the owner's row is compared and locked
//         -> commit: the fence once more where nothing was told, COMMIT, one wait for all of it
//
// The fence raises where the store has another owner by now, so nothing behind it is done: a
// condition that merely finds no row stops no pipeline. Locked it is by who writes only: a lock is
// a write itself, and every read would wait for the disk. A read alone is compared at its end: who
// owned the store then did so when it read.
// A connection that is lost is opened again by whatever is sent next. What was lost with it is Lost
// as long as COMMIT had not gone out, and Fatal, as its outcome is unknown, afterwards. Thread
// rule: a connection and its statements belong to one thread. Errors: failure().

#include "storage/model/failure.hpp"
#include "storage/postgres/ownership.hpp"
#include "storage/postgres/parameters.hpp"
#include "storage/postgres/rows.hpp"
#include "storage/postgres/session.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fencegate::storage::postgres {

// A statement of the schema, prepared where it is first used. REQUIRES: `sql` is a literal.
class Statement {
public:
    explicit Statement(const char* sql) : sql_(sql) {}
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

private:
    friend class Connection;
    const char* sql_;
    std::string name_{};        // on the server
    std::int64_t session_ = 0;  // the one that knows it
};

class Connection {
public:
    // `session` is that of the owner.
    Connection(ServerUrl url, Session session, Ownership ownership);

    void begin() noexcept { is_begun_ = true; }
    // Nothing is waited for. Its failure is met by whatever waits next.
    template <class... Values>
    void tell(Statement& statement, const Values&... values) {
        send_write(statement, Parameters::of(values...));
    }
    template <class... Values>
    [[nodiscard]] Rows ask(Statement& statement, const Values&... values) {
        return send_read(statement, Parameters::of(values...));
    }
    // Whether all that was told could be done is known when it returns.
    void settle();
    // True: it is durable, or there was nothing.
    [[nodiscard]] bool commit();
    void roll_back();

    // Whether this transaction has told something.
    [[nodiscard]] bool has_written() const noexcept { return is_fenced_; }
    [[nodiscard]] const std::optional<Failure>& failure() const noexcept { return failure_; }
    void clear_failure() noexcept { failure_.reset(); }
    // How often an answer of the server was waited for.
    [[nodiscard]] std::int64_t round_trips() const noexcept { return round_trips_; }

private:
    // What was sent and not answered yet.
    enum class Kind : std::uint8_t { Prepare, Command, Question, Fence, Commit, Sync };
    struct Sent {
        Kind kind;
        Statement* statement = nullptr;
    };

    [[nodiscard]] bool is_ready();
    [[nodiscard]] bool reopen();
    void send_write(Statement& statement, const Parameters& parameters);
    [[nodiscard]] Rows send_read(Statement& statement, const Parameters& parameters);
    void send(Kind kind, Statement& statement, const Parameters& parameters);
    void send_text(Kind kind, const char* sql);
    void prepare(Statement& statement, const Parameters& parameters);
    void open_transaction();
    void note_sent(int was_sent, const Sent& what);
    // Waits for all that was sent. Returns the rows of the last question.
    [[nodiscard]] Rows receive();
    // False: the connection is gone.
    [[nodiscard]] bool judge(const Sent& what, const ::pg_result* result);
    [[nodiscard]] static Failure failure_in(const Sent& what, std::string_view sqlstate,
                                            const ::pg_result* result);
    void note_loss(const Sent& what, bool is_told);
    void end_transaction() noexcept;

    const ServerUrl url_;
    const Ownership ownership_;
    std::optional<Session> session_;
    std::int64_t session_number_ = 1;
    std::int64_t statements_ = 0;
    std::vector<Sent> sent_{};
    std::optional<Failure> failure_{};
    bool is_begun_ = false;  // begin() was called
    bool is_open_ = false;   // and BEGIN was sent
    bool is_fenced_ = false;
    bool is_committing_ = false;  // COMMIT was sent
    bool has_heard_ = false;      // from the server, in this transaction
    std::int64_t round_trips_ = 0;
    Statement lock_fence_;
    Statement compare_fence_;
};

}  // namespace fencegate::storage::postgres
