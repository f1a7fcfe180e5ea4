#include "proxy/net/lock_wait.hpp"

#include <tuple>
#include <utility>

namespace fencegate::proxy {

asio::awaitable<storage::Answer> LockWait::ask(storage::Command command) {
    auto& thread = connection_.thread();
    const auto ticket = thread.new_ticket();
    auto watching = watch_peer(ticket);
    connection_.start_watching(std::move(watching));
    auto* engine = connection_.shared().engine;
    auto answer = co_await thread.ask(engine, ticket, std::move(command));
    co_await connection_.stop_watching();
    co_return answer;
}

// Gone, or talking so much ahead that its leaving would not be noticed: nothing is granted.
asio::awaitable<void> LockWait::watch_peer(storage::Ticket ticket) {
    std::ignore = co_await connection_.notice_departure();
    if (!connection_.is_watch_over()) connection_.shared().engine->cancel(ticket);
}

}  // namespace fencegate::proxy
