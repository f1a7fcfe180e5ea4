#include "proxy/streams/watch_log.hpp"

#include "base/check.hpp"
#include "base/hex.hpp"
#include "proxy/streams/watch_event.hpp"

#include <algorithm>
#include <charconv>
#include <functional>

namespace fencegate::proxy {
namespace {

// More are handed out by the next call: the store thread waits while their pointers are copied.
constexpr std::size_t kBatchesAtOnce = 64;
constexpr std::size_t kManyLocks = 0;

std::size_t hash_of(std::string_view lock) {
    const auto hash = std::hash<std::string_view>{}(lock);
    return hash == kManyLocks ? kManyLocks + 1 : hash;
}

std::size_t hash_of(const storage::LockNotice& notice) {
    return notice.locks.size() == 1 ? hash_of(notice.locks.front().value()) : kManyLocks;
}

std::string id_of(std::string_view run, WatchPosition position) {
    return std::string(run).append("-").append(std::to_string(position));
}

std::optional<WatchPosition> parse_position(std::string_view text) {
    WatchPosition position = 0;
    const auto end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data(), end, position);
    const bool is_spelt_so = !text.empty() && (text.front() != '0' || text.size() == 1);
    if (ec != std::errc{} || at != end || !is_spelt_so) return std::nullopt;
    return position;
}

bool is_run(std::string_view text, std::size_t size) { return text.size() == size && is_hex(text); }

}  // namespace

bool WatchFilter::wants(const storage::LockNotice& notice) const noexcept {
    if (kind == Kind::Prefix && text.empty()) return true;
    return std::ranges::any_of(notice.locks, [this](const auto& lock) {
        return kind == Kind::Lock ? lock.value() == text : lock.value().starts_with(text);
    });
}

WatchBatch::WatchBatch(WatchPosition first, std::vector<storage::LockNotice> notices,
                       const std::string& run)
    : first_(first), run_(run), notices_(std::move(notices)), texts_(notices_.size()) {
    hashes_.reserve(notices_.size());
    for (const auto& notice : notices_) hashes_.push_back(hash_of(notice));
}

bool WatchBatch::is_wanted(const WatchFilter& filter, std::size_t filter_hash,
                           std::size_t index) const {
    const bool is_other = filter.kind == WatchFilter::Kind::Lock && hashes_[index] != filter_hash &&
                          hashes_[index] != kManyLocks;
    return !is_other && filter.wants(notices_[index]);
}

bool WatchBatch::find(const WatchFilter& filter, std::size_t filter_hash,
                      WatchPosition& seen) const {
    for (auto index = index_behind(seen); index < size(); ++index) {
        if (is_wanted(filter, filter_hash, index)) return true;
        seen = first_ + index;
    }
    return false;
}

bool WatchBatch::append(const WatchFilter& filter, std::size_t filter_hash, std::size_t bytes_max,
                        WatchPosition& seen, std::string& out) const {
    for (auto index = index_behind(seen); index < size(); ++index) {
        if (out.size() >= bytes_max) return false;
        if (is_wanted(filter, filter_hash, index)) out += text(index);
        seen = first_ + index;
    }
    return true;
}

const std::string& WatchBatch::text(std::size_t index) const {
    auto& made = texts_[index];
    std::call_once(made.made, [&] {
        append_notice(notices_[index], id_of(run_, first_ + index), made.text);
        made.text.shrink_to_fit();
    });
    return made.text;
}

WatchLog::WatchLog(std::string run, WatchLimits limits) : run_(std::move(run)), limits_(limits) {
    FG_CHECK(limits_.events_max > 0);
}

WatchLog::~WatchLog() = default;

void WatchLog::add_listener(WatchListener& listener) {
    const std::lock_guard lock(mutex_);
    listeners_.push_back(&listener);
}

void WatchLog::publish(std::vector<storage::LockNotice> notices) {
    if (notices.empty()) return;
    const auto count = notices.size();
    const auto dropped = count - std::min(count, limits_.events_max);
    notices.erase(notices.begin(), notices.begin() + static_cast<std::ptrdiff_t>(dropped));
    // Only this thread writes last_, so that the batch can be made before the lock is taken.
    auto batch = std::make_shared<const WatchBatch>(last_ + 1 + dropped, std::move(notices), run_);
    Batches gone;  // destroyed behind the lock
    const std::lock_guard lock(mutex_);
    last_ += count;
    size_ += batch->size();
    batches_.push_back(std::move(batch));
    while (size_ > limits_.events_max) {
        size_ -= batches_.front()->size();
        gone.push_back(std::move(batches_.front()));
        batches_.pop_front();
    }
    for (auto* listener : listeners_) listener->on_published();
}

WatchPosition WatchLog::present() const {
    const std::lock_guard lock(mutex_);
    return last_;
}

std::string WatchLog::id(WatchPosition position) const { return id_of(run_, position); }

WatchLog::Resumed WatchLog::resume(std::string_view last_event_id) const {
    const auto dash = std::min(last_event_id.find('-'), last_event_id.size());
    const auto run = last_event_id.substr(0, dash);
    const auto position =
        parse_position(last_event_id.substr(std::min(dash + 1, last_event_id.size())));
    const std::lock_guard lock(mutex_);
    if (!is_run(run, run_.size()) || !position) return {last_, "malformed"};
    if (run != run_) return {last_, "restarted"};
    if (*position > last_) return {last_, "malformed"};  // we never said that
    const auto oldest = batches_.empty() ? last_ + 1 : batches_.front()->first();
    if (*position + 1 < oldest) return {last_, "too_old"};
    return {*position, {}};
}

std::optional<WatchLog::Batches> WatchLog::behind(WatchPosition seen) const {
    Batches found;
    found.reserve(kBatchesAtOnce);  // not while the store thread may wait
    const std::lock_guard lock(mutex_);
    if (seen >= last_) return found;
    if (batches_.empty() || seen + 1 < batches_.front()->first()) return std::nullopt;
    auto batch = std::ranges::upper_bound(batches_, seen + 1, {},
                                          [](const auto& entry) { return entry->first(); });
    --batch;  // the last one that begins at or before the event looked for
    const auto count = std::min<std::ptrdiff_t>(kBatchesAtOnce, batches_.end() - batch);
    found.assign(batch, batch + count);
    return found;
}

std::optional<WatchLog::Seat> WatchLog::take_seat() noexcept {
    Seat seat(seats_taken_);
    if (++seats_taken_ > limits_.watchers_max) return std::nullopt;
    return seat;
}

WatchCursor::WatchCursor(const WatchLog& log, WatchFilter filter, WatchPosition seen)
    : log_(log), filter_(std::move(filter)), filter_hash_(hash_of(filter_.text)), seen_(seen) {}

bool WatchCursor::is_wanted_in(const WatchLog::Batches& fresh) {
    if (!fresh.empty() && seen_ + 1 < fresh.front()->first()) return true;  // is further behind
    return std::ranges::any_of(
        fresh, [this](const auto& batch) { return batch->find(filter_, filter_hash_, seen_); });
}

WatchCursor::Filled WatchCursor::fill(std::size_t bytes_max, std::string& out) {
    for (;;) {
        const auto batches = log_.behind(seen_);
        if (!batches) return Filled::Overrun;
        if (batches->empty()) return Filled::Everything;
        for (const auto& batch : *batches) {
            if (!batch->append(filter_, filter_hash_, bytes_max, seen_, out)) return Filled::Part;
        }
    }
}

}  // namespace fencegate::proxy
