#pragma once
// IoThread: one io_context run by one thread, and everything its sessions share: the way to the
// engine and back, randomness, the formatted Date. No strands and no locks between sessions: a
// session never leaves its thread.
// Answers of a batch arrive by one deliver() and cost one wake-up, however many there are.
// New events wake the thread's watchers at most every kWatchTick, however many commits there are.
// Thread rule: deliver(), on_published(), post() and stop() from any thread; everything else on the
// thread itself.

#include "proxy/net/asio.hpp"
#include "proxy/streams/watch_log.hpp"
#include "storage/model/engine.hpp"

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace fencegate::proxy {

class EventStream;
class Session;

class IoThread final : public storage::AnswerSink, public WatchListener {
public:
    // `index` makes the tickets of this thread unique; `name` is what the system shows.
    IoThread(std::size_t index, std::string name, const Clock& clock);
    ~IoThread() override;

    void start();
    // Drops whatever is left and joins. Idempotent.
    void stop();

    [[nodiscard]] asio::io_context& context() noexcept { return context_; }

    // Sends a command to the engine and waits for its durable answer. `ticket` from new_ticket().
    // Fails with (in the answer): Overloaded if the engine's queue is full.
    [[nodiscard]] asio::awaitable<storage::Answer> ask(storage::Engine* engine,
                                                       storage::Ticket ticket,
                                                       storage::Command command);
    [[nodiscard]] storage::Ticket new_ticket() noexcept;

    void deliver(std::vector<storage::Delivery> deliveries) override;
    void on_published() override;

    [[nodiscard]] BufferedRandom& random() noexcept { return random_; }
    // An RFC 9110 date of this second.
    [[nodiscard]] const std::string& http_date();

    // Sessions enter and leave by themselves.
    using Place = std::list<Session*>::iterator;
    [[nodiscard]] Place enter(Session& session);
    void leave(Place place);
    // Before start(). `log` outlives the thread.
    void follow(WatchLog& log);
    // Streams of events do as well, and are woken when there are some.
    using StreamPlace = std::list<EventStream*>::iterator;
    [[nodiscard]] StreamPlace begin_stream(EventStream& stream);
    void end_stream(StreamPlace place);
    [[nodiscard]] std::size_t sessions() const noexcept { return session_count_; }
    // Lets every session finish its request and close. Any thread.
    void drain();
    [[nodiscard]] bool is_draining() const noexcept { return is_draining_; }

private:
    using Resume = std::move_only_function<void(storage::Answer)>;
    struct Parked;

    void resume_delivered();
    void wake_watchers_soon();
    void wake_watchers();
    // Looks for overdue sessions a few times a second: no timer per operation.
    void sweep_later();

    // Before context_: sessions that are cut off die with it, and leave this list as they do.
    std::list<Session*> all_;
    std::atomic<std::size_t> session_count_{0};
    std::list<EventStream*> watchers_;
    std::atomic<std::size_t> watcher_count_{0};
    std::atomic<bool> is_wake_posted_{false};  // what is published now will be seen by it
    BootTime last_wake_{};
    WatchLog* watch_log_ = nullptr;
    WatchPosition woken_for_ = 0;
    bool is_draining_ = false;
    asio::io_context context_{1};
    asio::steady_timer sweep_timer_{context_};  // also keeps the context running
    asio::steady_timer wake_timer_{context_};
    std::string name_;
    const Clock& clock_;
    BufferedRandom random_;
    std::uint64_t last_ticket_;
    std::unordered_map<storage::Ticket, Resume> parked_;
    WallTime date_second_{};
    std::string date_;

    std::mutex mutex_;  // guards the member below; held for a move, never while working
    std::vector<storage::Delivery> delivered_;

    std::thread thread_;
};

}  // namespace fencegate::proxy
