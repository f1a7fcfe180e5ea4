#pragma once
// Statement: an account over a time as CSV or JSON Lines, page by page, in constant memory.
// The first line is the opening balance, then every entry with the balance behind it, then the
// closing line with the totals: who has it has everything.
// CSV is RFC 4180. A cell that a client wrote and that a spreadsheet would take for a formula
// begins with an apostrophe.
// Thread rule: a plain value of one session.

#include "storage/model/command.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace fencegate::proxy {

enum class StatementFormat : std::uint8_t { Csv, JsonLines };

struct StatementRequest {
    storage::ReadStatement first;
    StatementFormat format = StatementFormat::Csv;
};

class StatementWriter {
public:
    explicit StatementWriter(StatementRequest request) : request_(std::move(request)) {}

    // What to ask the store for next.
    [[nodiscard]] const storage::ReadStatement& next() const noexcept { return request_.first; }
    // Appends the text of a page, which may be none.
    void take(const storage::StatementPage& page, std::string& out);
    [[nodiscard]] bool is_complete() const noexcept { return is_complete_; }
    [[nodiscard]] std::string_view content_type() const noexcept;

private:
    struct Cells;
    void write_opening(std::string& out);
    void write_entry(const storage::JournalEntry& entry, std::string& out);
    void write_closing(std::string& out);
    void write_row(const Cells& cells, std::string& out) const;
    [[nodiscard]] std::string decimal(std::int64_t amount_minor) const;
    [[nodiscard]] std::string time_text(const std::optional<WallTime>& time) const;

    StatementRequest request_;
    bool is_open_ = false;
    bool is_complete_ = false;
    std::int64_t opening_debits_minor_ = 0;
    std::int64_t opening_credits_minor_ = 0;
    std::int64_t debits_minor_ = 0;  // of the range
    std::int64_t credits_minor_ = 0;
    std::int64_t balance_minor_ = 0;
    std::int64_t lines_ = 0;
};

}  // namespace fencegate::proxy
