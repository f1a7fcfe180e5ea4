#include "storage/postgres/connection.hpp"

#include "storage/postgres/server_failure.hpp"

#include <libpq-fe.h>

#include <string_view>

namespace fencegate::storage::postgres {
namespace {

constexpr int kBinary = 1;

std::string_view field_of(const ::pg_result* result, int field) {
    const char* text = ::PQresultErrorField(result, field);
    return text == nullptr ? std::string_view() : std::string_view(text);
}

}  // namespace

Connection::Connection(ServerUrl url, Session session, Ownership ownership)
    : url_(std::move(url)),
      ownership_(std::move(ownership)),
      session_(std::move(session)),
      lock_fence_(
          "SELECT 1 / (count(*) = 1)::int FROM (SELECT 1 FROM partitions "
          "WHERE id = 0 AND epoch = $1 FOR SHARE) AS owned"),
      compare_fence_("SELECT 1 / (count(*) = 1)::int FROM partitions WHERE id = 0 AND epoch = $1") {
    ::PQenterPipelineMode(session_->handle());
}

bool Connection::is_ready() { return !failure_ && (session_ || reopen()); }

bool Connection::reopen() {
    auto session = Session::open(url_, ownership_.session);
    if (!session) {
        failure_ = Failure{Failure::Kind::Lost, session.error().detail};
        return false;
    }
    session_ = *std::move(session);
    ++session_number_;
    ::PQenterPipelineMode(session_->handle());
    return true;
}

void Connection::send_write(Statement& statement, const Parameters& parameters) {
    if (!is_ready()) return;
    open_transaction();
    if (!std::exchange(is_fenced_, true))
        send(Kind::Fence, lock_fence_, Parameters::of(ownership_.epoch));
    send(Kind::Command, statement, parameters);
}

Rows Connection::send_read(Statement& statement, const Parameters& parameters) {
    if (!is_ready()) return {};
    open_transaction();
    send(Kind::Question, statement, parameters);
    return receive();
}

void Connection::open_transaction() {
    if (is_begun_ && !std::exchange(is_open_, true)) send_text(Kind::Command, "BEGIN");
}

void Connection::send(Kind kind, Statement& statement, const Parameters& parameters) {
    if (statement.session_ != session_number_) prepare(statement, parameters);
    const std::vector<int> formats(static_cast<std::size_t>(parameters.count()), kBinary);
    note_sent(::PQsendQueryPrepared(session_->handle(), statement.name_.c_str(), parameters.count(),
                                    parameters.pointers().data(), parameters.lengths().data(),
                                    formats.data(), kBinary),
              {kind, &statement});
}

void Connection::prepare(Statement& statement, const Parameters& parameters) {
    if (statement.name_.empty()) statement.name_ = "f" + std::to_string(++statements_);
    statement.session_ = session_number_;
    note_sent(::PQsendPrepare(session_->handle(), statement.name_.c_str(), statement.sql_,
                              parameters.count(), parameters.types().data()),
              {Kind::Prepare, &statement});
}

void Connection::send_text(Kind kind, const char* sql) {
    note_sent(::PQsendQueryParams(session_->handle(), sql, 0, nullptr, nullptr, nullptr, nullptr,
                                  kBinary),
              {kind});
}

// What could not be sent has no answer; that the connection is gone shows at the next one.
void Connection::note_sent(int was_sent, const Sent& what) {
    if (was_sent == 1) {
        sent_.push_back(what);
    } else {
        note_loss(what, /*is_told=*/false);
    }
}

void Connection::settle() {
    if (!failure_ && !sent_.empty()) static_cast<void>(receive());
}

bool Connection::commit() {
    if (failure_) return false;
    if (!is_open_) {
        end_transaction();
        return true;
    }
    // A connection that was lost long ago shows before COMMIT is on its way.
    if (!has_heard_) settle();
    if (failure_) return false;
    if (!is_fenced_) send(Kind::Fence, compare_fence_, Parameters::of(ownership_.epoch));
    is_committing_ = true;
    send_text(Kind::Commit, "COMMIT");
    if (!failure_) static_cast<void>(receive());
    if (failure_) return false;
    end_transaction();
    return true;
}

void Connection::roll_back() {
    failure_.reset();
    if (session_ && ::PQstatus(session_->handle()) != CONNECTION_OK) session_.reset();
    if (!session_) sent_.clear();
    if (session_ && is_open_) {
        is_committing_ = false;
        send_text(Kind::Command, "ROLLBACK");
        static_cast<void>(receive());
        // Then the server has taken it back by itself.
        if (failure_) session_.reset();
        failure_.reset();
    }
    end_transaction();
}

void Connection::end_transaction() noexcept {
    is_begun_ = is_open_ = is_fenced_ = is_committing_ = has_heard_ = false;
}

Rows Connection::receive() {
    note_sent(::PQpipelineSync(session_->handle()), {Kind::Sync});
    ++round_trips_;
    Rows last;
    const auto sent = std::exchange(sent_, {});
    if (sent.empty() || sent.back().kind != Kind::Sync) {  // nobody would end what we wait for
        session_.reset();
        return last;
    }
    for (const auto& what : sent) {
        Rows rows(::PQgetResult(session_->handle()));
        if (!judge(what, rows.handle())) {
            session_.reset();
            return {};
        }
        // Behind each answer but that of the end stands one that says that it was all.
        if (what.kind != Kind::Sync) Rows(::PQgetResult(session_->handle()));
        if (what.kind == Kind::Question) last = std::move(rows);
    }
    if (failure_) return {};
    has_heard_ = true;
    return last;
}

bool Connection::judge(const Sent& what, const ::pg_result* result) {
    const auto status = ::PQresultStatus(result);
    const bool is_done =
        status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_PIPELINE_SYNC;
    const bool has_warned = session_->take_warning();
    if (what.kind == Kind::Prepare && !is_done) what.statement->session_ = 0;
    if (is_done && what.kind == Kind::Commit) {
        // The server has it and may be alone with it: nobody has confirmed that another has.
        if (has_warned)
            failure_ = Failure{Failure::Kind::Fatal,
                               "the server warned while it committed; what it committed may be "
                               "lost with it"};
        return true;
    }
    if (is_done || status == PGRES_PIPELINE_ABORTED) return true;
    const auto sqlstate = field_of(result, PG_DIAG_SQLSTATE);
    // A server that ends the session may have said so without having hung up yet.
    const bool is_end = field_of(result, PG_DIAG_SEVERITY_NONLOCALIZED) != "ERROR";
    if (is_end || ::PQstatus(session_->handle()) != CONNECTION_OK) {
        note_loss(what, /*is_told=*/!sqlstate.empty());
        return false;
    }
    if (!failure_) failure_ = failure_in(what, sqlstate, result);
    return true;
}

Failure Connection::failure_in(const Sent& what, std::string_view sqlstate,
                               const ::pg_result* result) {
    constexpr std::string_view kDivisionByZero = "22012";
    if (what.kind == Kind::Fence && sqlstate == kDivisionByZero)
        return {Failure::Kind::Fatal, "another gateway has opened the store and owns it now"};
    return {kind_of(sqlstate), std::string(field_of(result, PG_DIAG_MESSAGE_PRIMARY))};
}

// A server that tells why it ends the session, before it has answered to COMMIT, has not done it.
void Connection::note_loss(const Sent& what, bool is_told) {
    if (failure_) return;
    const bool is_unknown = is_committing_ && (!is_told || what.kind == Kind::Commit);
    if (is_unknown) {
        failure_ = Failure{Failure::Kind::Fatal,
                           "the connection to the store was lost while it committed"};
    } else {
        failure_ = Failure{Failure::Kind::Lost, "the connection to the store was lost"};
    }
}

}  // namespace fencegate::storage::postgres
