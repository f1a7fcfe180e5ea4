#pragma once
// RowCache: the rows of one table that a batch has looked at or changed, by key, as it leaves them.
// A row is read once; pointers to rows stay good as long as the cache.
// Thread rule: belongs to the store thread.

#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fencegate::storage {

template <class Key, class Row, class Hash = std::hash<Key>>
class RowCache {
public:
    RowCache() = default;
    RowCache(const RowCache&) = delete;  // what has changed is known by its place
    RowCache& operator=(const RowCache&) = delete;

    // nullptr: there is none. `read(key)` asks the engine, at the first look.
    template <class Read>
    [[nodiscard]] const Row* find(const Key& key, Read read) {
        const auto [found, is_first_look] = slots_.try_emplace(key);
        if (is_first_look) found->second.row = read(key);
        const auto& row = found->second.row;
        return row ? &*row : nullptr;
    }

    // One that was not there.
    void insert(const Key& key, Row row) { change(key, std::move(row)).is_new = true; }
    // As it is left, whether it was there or not; nullopt: it is gone.
    void put(const Key& key, std::optional<Row> row) { change(key, std::move(row)); }

    // Hands what has changed to `take(key, row, is_new)`, in the order in which it first did. From
    // then on it is what the engine has.
    template <class Take>
    void collect(Take take) {
        for (auto* entry : changed_) {
            take(entry->first, std::as_const(entry->second.row), entry->second.is_new);
            entry->second.is_changed = false;
            entry->second.is_new = false;
        }
        changed_.clear();
    }

private:
    struct Slot {
        std::optional<Row> row{};
        bool is_changed = false;
        bool is_new = false;
    };
    using Slots = std::unordered_map<Key, Slot, Hash>;

    Slot& change(const Key& key, std::optional<Row> row) {
        auto& entry = *slots_.try_emplace(key).first;
        entry.second.row = std::move(row);
        if (!std::exchange(entry.second.is_changed, true)) changed_.push_back(&entry);
        return entry.second;
    }

    Slots slots_;
    std::vector<typename Slots::value_type*> changed_;
};

}  // namespace fencegate::storage
