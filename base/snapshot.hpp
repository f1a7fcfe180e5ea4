#pragma once
// Snapshot: a value that many threads read and that a reload replaces as a whole.
// Who loaded it before a replace() keeps the old value until they let go of it: hence shared_ptr.
// Thread rule: any thread.

#include <memory>
#include <mutex>
#include <utility>

namespace fencegate {

template <class T>
class Snapshot {
public:
    explicit Snapshot(T value) : current_(std::make_shared<const T>(std::move(value))) {}

    // Never nullptr.
    [[nodiscard]] std::shared_ptr<const T> load() const {
        const std::lock_guard lock(mutex_);
        return current_;
    }

    void replace(T value) {
        auto fresh = std::make_shared<const T>(std::move(value));
        const std::lock_guard lock(mutex_);
        current_.swap(fresh);
    }

private:
    // Not std::atomic<shared_ptr>: in libstdc++ 12 its load races with its store.
    mutable std::mutex mutex_;  // held for a copy of the pointer
    std::shared_ptr<const T> current_;
};

}  // namespace fencegate
