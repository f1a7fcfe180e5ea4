#pragma once
// Session: the requests of one connection, as one readable loop: read a head, gate it, admit it,
// read its body, ask, reply, again. Any doubt about framing answers once and closes.
// Answers that take long are told elsewhere: lock_wait.hpp, statement_stream.hpp, event_stream.hpp.
// Thread rule: lives on its IoThread and never leaves it.

#include "proxy/net/connection.hpp"
#include "proxy/net/request_input.hpp"

#include <string>

namespace fencegate::proxy {

class Session {
public:
    // Serves `stream` until it closes. Spawn on the thread's context.
    static asio::awaitable<void> serve(TlsStream stream, std::string peer, IoThread* thread,
                                       const SessionShared* shared);

    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Lets the request at hand finish, or one that is on its way already, then closes. Its reply
    // says so.
    void drain();
    // Cancels what is overdue.
    void sweep(BootTime now) { connection_.sweep(now); }

private:
    Session(TlsStream stream, std::string peer, IoThread& thread, const SessionShared& shared);

    asio::awaitable<void> run();
    // Each returns whether the connection goes on.
    asio::awaitable<bool> serve_one();
    asio::awaitable<bool> serve_exchange();
    asio::awaitable<bool> serve_statement(StatementRequest request, bool keep_alive);
    asio::awaitable<bool> serve_events(Subscription subscription, bool keep_alive);
    asio::awaitable<Reply> carry_out(storage::Command command);

    // Closes behind the reply, and says so, while draining. True: the connection goes on.
    asio::awaitable<bool> answer(Reply reply, bool may_keep_alive);
    asio::awaitable<bool> refuse_and_go_on(Error error, bool may_keep_alive);

    [[nodiscard]] Result<> check_body_rules() const;
    void begin_exchange();
    void log(const Reply& reply, std::size_t bytes_out);

    Connection connection_;
    const SessionShared& shared_;
    IoThread::Place place_;
    RequestInput input_{connection_};
    std::string out_;
    Exchange exchange_;
    std::size_t served_ = 0;
};

}  // namespace fencegate::proxy
