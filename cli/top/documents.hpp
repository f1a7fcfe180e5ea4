#pragma once
// The gateway's JSON and times as values of `fencegate top`.
// Owns: reading them, leniently: members that are not known are passed over, so that a newer
// gateway can be looked at. Thread rule: pure functions.
// Errors: fail_start(Unavailable) for what no gateway would say.

#include "base/result.hpp"
#include "cli/top/happening.hpp"

namespace fencegate::cli::top {

// Nothing for an event that says nothing about locks and leases, e.g. `proclaimed`.
[[nodiscard]] Result<std::optional<Happening>> parse_happening(std::string_view event,
                                                               std::string_view data);
// `after` is the cursor that was asked with.
[[nodiscard]] Result<LockPage> parse_lock_page(std::string_view body, std::string_view after);
[[nodiscard]] Result<LockReading> parse_lock(std::string_view body);

// A member of an object that is a text, e.g. "reason" of a `reset`; "" if there is none.
[[nodiscard]] std::string text_member(std::string_view body, std::string_view name);

// "2026-11-23T09:30:00.123Z"
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);
// "Mon, 23 Nov 2026 09:30:00 GMT", RFC 9110 5.6.7
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace fencegate::cli::top
