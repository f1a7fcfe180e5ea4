#include "cli/top/mailbox.hpp"

#include "base/check.hpp"

#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace fencegate::cli::top {
namespace {

constexpr std::size_t kNewsMax = 8'192;

}  // namespace

Mailbox::Mailbox() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    FG_CHECK(descriptor_ >= 0);
}

Mailbox::~Mailbox() { ::close(descriptor_); }

void Mailbox::put(News news) {
    std::unique_lock lock(mutex_);
    taken_.wait(lock, [this] { return is_closed_ || news_.size() < kNewsMax; });
    if (is_closed_) return;
    news_.push_back(std::move(news));
    if (news_.size() == 1) ::eventfd_write(descriptor_, 1);
}

std::vector<News> Mailbox::take() {
    std::vector<News> taken;
    {
        const std::lock_guard lock(mutex_);
        eventfd_t ignored = 0;
        ::eventfd_read(descriptor_, &ignored);
        taken = std::exchange(news_, {});
    }
    taken_.notify_one();
    return taken;
}

void Mailbox::close() {
    {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
    }
    taken_.notify_all();
}

}  // namespace fencegate::cli::top
