#pragma once
// Mailbox: news on their way from the feed's thread to the one that draws.
// Owns: a bounded queue and the descriptor that tells of it. Who puts into a full one waits, and so
// does the gateway, which then says `overrun`: no news are lost in silence.
// Thread rule: put() on one thread, take() on another, close() on any.

#include "cli/top/happening.hpp"

#include <condition_variable>
#include <mutex>

namespace fencegate::cli::top {

class Mailbox {
public:
    Mailbox();
    ~Mailbox();
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    // Waits while it is full. Once closed it takes nothing.
    void put(News news);
    // All there is.
    [[nodiscard]] std::vector<News> take();
    void close();

    // Readable when there are news.
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

private:
    const int descriptor_;
    std::mutex mutex_;  // guards the members below
    std::condition_variable taken_;
    std::vector<News> news_;
    bool is_closed_ = false;
};

}  // namespace fencegate::cli::top
