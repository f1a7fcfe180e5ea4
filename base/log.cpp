#include "base/log.hpp"

#include "base/check.hpp"
#include "base/json_writer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace fencegate {
namespace {

// journald says in JOURNAL_STREAM which stream it reads; a child whose stderr goes elsewhere has
// inherited the variable only.
bool is_stderr_the_journal() {
    const char* const stream = std::getenv("JOURNAL_STREAM");
    struct stat own {};
    if (stream == nullptr || ::fstat(STDERR_FILENO, &own) != 0) return false;
    return stream == std::to_string(own.st_dev) + ":" + std::to_string(own.st_ino);
}

void write_out(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(STDERR_FILENO, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

struct LevelText {
    std::string_view journal;  // its priority, as sd-daemon(3) writes it
    std::string_view name;
};

constexpr std::array kLevels{LevelText{"<3>", "error"}, LevelText{"<4>", "warning"},
                             LevelText{"<6>", "info"}};

bool is_control(char byte) noexcept {
    return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f;
}

bool is_plain(std::string_view value) noexcept {
    return !value.empty() && std::ranges::none_of(value, [](char byte) {
        return is_control(byte) || byte == ' ' || byte == '"' || byte == '=';
    });
}

void append_field(std::string& line, const LogField& field) {
    line.append(" ").append(field.name).append("=");
    if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
        line += std::to_string(*number);
    } else if (const auto text = std::get<std::string_view>(field.value); is_plain(text)) {
        line += text;
    } else {
        JsonWriter(line).string(text);
    }
}

// A line stays one, whatever it is told.
void append_text(std::string& line, std::string_view message, LogFields fields) {
    line += "fencegate: ";
    for (const char byte : message) line += is_control(byte) ? ' ' : byte;
    for (const auto& field : fields) append_field(line, field);
}

void append_json(std::string& line, std::string_view time, std::string_view level,
                 std::string_view message, LogFields fields) {
    JsonWriter json(line);
    json.begin_object().member("ts", time).member("level", level).member("message", message);
    for (const auto& field : fields)
        std::visit([&](const auto& value) { json.member(field.name, value); }, field.value);
    json.end_object();
}

}  // namespace

std::optional<LogFormat> parse_log_format(std::string_view text) noexcept {
    if (text == "text") return LogFormat::Text;
    if (text == "json") return LogFormat::Json;
    return std::nullopt;
}

Log::Log(LogFormat format, const Clock& clock)
    : format_(format), is_journal_(is_stderr_the_journal()), clock_(clock) {}

void Log::error(std::string_view message, LogFields fields) const {
    tell(Level::Error, message, fields);
}

void Log::warning(std::string_view message, LogFields fields) const {
    tell(Level::Warning, message, fields);
}

void Log::info(std::string_view message, LogFields fields) const {
    tell(Level::Info, message, fields);
}

bool Log::is_for_people() const noexcept { return format_ == LogFormat::Text && !is_journal_; }

void Log::show(std::string_view text) const {
    FG_CHECK(is_for_people());
    write_out(text);
}

void Log::tell(Level level, std::string_view message, LogFields fields) const {
    const auto& [journal, name] = kLevels[std::to_underlying(level)];
    std::string line(is_journal_ ? journal : "");
    const auto now = rfc3339(clock_.wall_now());
    if (format_ == LogFormat::Json) {
        append_json(line, now.text, name, message, fields);
    } else {
        if (!is_journal_) line.append(now.text).append(" ").append(name).append(" ");
        append_text(line, message, fields);
    }
    line += '\n';
    write_out(line);
}

}  // namespace fencegate
