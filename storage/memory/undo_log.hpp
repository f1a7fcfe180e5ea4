#pragma once
// UndoLog: what takes the changes of a transaction back, newest first. Table: rows by key, whose
// changes are in such a log.
// Thread rule: as the MemoryStore's.

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace fencegate::storage::memory {

class UndoLog {
public:
    void add(std::function<void()> undo) { undo_.push_back(std::move(undo)); }
    [[nodiscard]] std::size_t size() const noexcept { return undo_.size(); }
    void roll_back() {
        while (!undo_.empty()) {
            undo_.back()();
            undo_.pop_back();
        }
    }
    void commit() noexcept { undo_.clear(); }

private:
    std::vector<std::function<void()>> undo_;
};

template <class Key, class Row>
class Table {
public:
    // `log` outlives it.
    explicit Table(UndoLog& log) : log_(log) {}

    [[nodiscard]] const Row* find(const Key& key) const {
        const auto found = rows_.find(key);
        return found == rows_.end() ? nullptr : &found->second;
    }
    // Inserts or replaces.
    void put(const Key& key, Row row) {
        remember(key);
        rows_.insert_or_assign(key, std::move(row));
    }
    void erase(const Key& key) {
        remember(key);
        rows_.erase(key);
    }
    [[nodiscard]] const std::map<Key, Row>& rows() const noexcept { return rows_; }

private:
    void remember(const Key& key) {
        std::optional<Row> before;
        if (const auto* row = find(key)) before = *row;
        log_.add([this, key, before = std::move(before)] {
            if (before) {
                rows_.insert_or_assign(key, *before);
            } else {
                rows_.erase(key);
            }
        });
    }

    UndoLog& log_;
    std::map<Key, Row> rows_;
};

}  // namespace fencegate::storage::memory
