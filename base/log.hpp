#pragma once
// Log: what the server tells its operator, a line each: time, level, message, fields. The one way
// to stderr for everything below cli/; requests have the access log.
//
//   people    2026-11-29T09:30:00.123Z warning fencegate: MESSAGE name=value
//   journald  <4>fencegate: MESSAGE name=value    (it knows the time; JOURNAL_STREAM names stderr)
//   machines  {"ts":"...","level":"warning","message":"MESSAGE","name":"value"}, one object a line
//
// Words that operators search for stand in the message; fields say what it does not.
// Never in it: keys, bodies.
// Thread rule: any thread. A line is one write, so lines do not mix; nothing is buffered.
// Errors: a line that cannot be written is lost: there is nobody left to tell.
// Source: sd-daemon(3).

#include "base/clock.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <variant>

namespace fencegate {

enum class LogFormat : std::uint8_t { Text, Json };
// "text" or "json".
[[nodiscard]] std::optional<LogFormat> parse_log_format(std::string_view text) noexcept;

struct LogField {
    std::string_view name;
    std::variant<std::string_view, std::int64_t> value;
};
using LogFields = std::initializer_list<LogField>;

class Log {
public:
    // `clock` outlives it, and is the machine's: the lines stand among those of other programs.
    Log(LogFormat format, const Clock& clock);

    void error(std::string_view message, LogFields fields = {}) const;    // see to it now
    void warning(std::string_view message, LogFields fields = {}) const;  // see to it today
    void info(std::string_view message, LogFields fields = {}) const;

    // Neither a machine nor the journal keeps it: what is shown once may be shown.
    [[nodiscard]] bool is_for_people() const noexcept;
    // Text of many lines, as it is. REQUIRES: is_for_people().
    void show(std::string_view text) const;

private:
    enum class Level : std::uint8_t { Error, Warning, Info };
    void tell(Level level, std::string_view message, LogFields fields) const;

    LogFormat format_;
    bool is_journal_;
    const Clock& clock_;
};

}  // namespace fencegate
