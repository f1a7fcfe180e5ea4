#pragma once
// Feed: brings news from a gateway: it follows the watch stream, reads the list of held locks again
// and again, and the lines of those that are waited for, which the stream does not tell.
// Owns: both connections, coming back after a loss. Refuses to own: what the news mean.
// Invariant: news are handed out in an order that keeps the promise in model.hpp: what is read is
// handed out before any event that came after the question.
// Thread rule: one thread, on which `sink` is called; interrupt() from any.

#include "cli/client/https_client.hpp"
#include "cli/top/happening.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

namespace fencegate::cli::top {

class Feed {
public:
    using Sink = std::function<void(News)>;

    Feed(const HttpsOptions& options, std::string prefix, Sink sink);

    // Subscribes, from a while ago if the gateway still has that.
    // Fails with: what cannot be helped by waiting, e.g. a key that is refused, and what can.
    [[nodiscard]] Result<> connect();
    // Hands out what had happened before connect(), then the state of all locks.
    [[nodiscard]] Result<> catch_up();
    // Goes on until it is interrupted; comes back when the connection is lost.
    void run();

    // Ends what waits, now and from now on.
    void interrupt() noexcept;

private:
    Result<> subscribe(const std::string& last_event_id);
    Result<> go_back();
    Result<> follow_on();
    Result<bool> follow(Duration budget);
    Result<> take_line(std::string_view line);
    Result<> deliver();
    Result<> read_page();
    Result<> read_lines();
    Result<HttpReply> ask(const std::string& target);
    void note_clock(const HttpReply& reply);
    void tell(decltype(News::what) what);
    [[nodiscard]] bool pause(Duration duration);

    const std::string prefix_;
    const Sink sink_;
    HttpsClient reader_;
    LineStream stream_;

    // The event that is being read; the id of the last one that was.
    std::string event_;
    std::string data_;
    std::string id_;
    std::string last_id_;
    bool is_opened_ = false;  // this subscription has an id to come back with
    bool has_missed_ = false;
    bool is_first_of_backlog_ = false;
    std::uint64_t present_ = 0;  // number of the last event before connect()
    std::string last_words_;     // of the stream

    // The pass over all locks that is under way.
    std::string cursor_;
    std::size_t locks_read_ = 0;
    bool is_urgent_ = true;  // the state is not known: read on without a pause
    BootTime next_page_{};
    struct Line {
        std::string lock;
        std::size_t waiters = 0;
    };
    std::vector<Line> lines_;  // to be read when the pass is over
    std::vector<Line> known_;  // where somebody waited when it was read last

    Duration skew_{};
    std::mutex mutex_;  // guards is_interrupted_
    std::condition_variable changed_;
    bool is_interrupted_ = false;
};

}  // namespace fencegate::cli::top
