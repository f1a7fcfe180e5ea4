#pragma once
// Verify: asks a whole store whether it keeps what fencegate promises, and says what was looked at.
// Owns: the rules over rows, once for all engines, and the report. Refuses to own: reading the rows
// (rows.hpp), and what only one engine has: files, pages, schema. Reads only, and repairs nothing.
// Memory is constant whatever the size of the store.
// Thread rule: any thread, one at a time.
//
// What rows alone cannot prove, and where the checks therefore stop:
// 1. A lease or answer whose retention is over is gone, and what leaned on it is not checked. One
//    that cannot be over is missed: an answer by the hour of its payment or lease, and behind any
//    older answer, since they are forgotten in order.
// 2. "After the end of its lease" and "after its successor" are told by the wall clock: to within
//    ten minutes, not of entries that share their time with the one before, and not at all if the
//    clock is seen to have been set back further. Which lease came first is exact without one.
//    A late write under an expired lease that has no successor yet is what some classes allow.
// 3. Two effects under one key are a fault if booked within the shortest retention of keys, or if
//    the answer that is kept tells of another one.
// 4. Who rewrites the journal and every seal behind it is found only by comparing the head with one
//    that was kept elsewhere.
// 5. Texts that the rules do not read (metadata, details of refusals) and what was asked under a
//    key (a digest) are nobody's copy of anything, so nothing can be held against them.
// Source: the invariant suites for ledgers of TigerBeetle and Formance.

#include "base/digest.hpp"
#include "base/json_writer.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage {

// The newest entry of the journal. Spelled ID:SEAL, the seal in hex.
struct JournalHead {
    std::int64_t id = 0;  // 0: the journal is empty
    Sha256 seal{};

    friend bool operator==(const JournalHead&, const JournalHead&) = default;
};
[[nodiscard]] std::string to_text(const JournalHead& head);
[[nodiscard]] std::optional<JournalHead> parse_journal_head(std::string_view text);

struct CheckResult {
    static constexpr std::size_t kToldMax = 5;

    std::string_view name;   // stable; scripts branch on it
    std::string_view claim;  // what holds if there are no faults
    std::int64_t looked_at = 0;
    std::int64_t faults = 0;
    std::vector<std::string> first{};  // of the faults, with row ids; kToldMax at most
};

struct VerifyReport {
    std::vector<CheckResult> checks;  // in the order of the program, always the same
    JournalHead head;

    [[nodiscard]] bool is_sound() const noexcept;
};

struct VerifyProgress {
    std::string_view stage;
    std::int64_t done = 0;
    std::int64_t total = 0;  // roughly
};

struct VerifyOptions {
    // A head that the journal had: it must still be in it.
    std::optional<JournalHead> expected_head{};
    std::function<void(const VerifyProgress&)> on_progress{};
    // False: it is behind the marks of its folder on purpose, and serves once it is restored.
    bool holds_against_marks = true;
    // Set by another thread: gives up, and fails with Draining.
    const std::atomic<bool>* is_given_up = nullptr;
};

class Check;
class RowsToVerify;

// All rules, on the rows of one moment. The engine puts its own checks in front of these.
// `origin`: its check of what it reads rows from, which is told if that is too damaged to begin.
[[nodiscard]] VerifyReport verify_rules(RowsToVerify& rows, const VerifyOptions& options,
                                        Check& origin);

// The report as JSON: sound, head, checks. Texts of a damaged store are made harmless.
void write_members(JsonWriter& json, const VerifyReport& report);

}  // namespace fencegate::storage
