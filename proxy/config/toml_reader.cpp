#include "proxy/config/toml_reader.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"

#include <array>
#include <charconv>
#include <limits>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kTomlBytesMax = 4'194'304;

struct Unit {
    std::string_view name;
    std::int64_t ms;
};
constexpr std::array kUnits{Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000},
                            Unit{"ms", 1}};

std::string at(const std::filesystem::path& path, toml::source_position position) {
    auto text = path.string();
    text.append(":").append(std::to_string(position.line));
    text.append(":").append(std::to_string(position.column));
    return text + ": ";
}

std::string quoted(std::string_view key) {
    std::string text("`");
    return text.append(key).append("`");
}

}  // namespace

Result<TomlFile> TomlFile::load(const std::filesystem::path& path) {
    auto content = read_file(path, kTomlBytesMax);
    if (!content) return std::unexpected(std::move(content.error()));
    // The shared toml++ library reports by exception only; it ends here.
    try {
        return TomlFile(path, toml::parse(*content, path.string()));
    } catch (const toml::parse_error& error) {
        std::string detail = at(path, error.source().begin);
        detail.append(error.description()).append("; correct the TOML syntax there");
        return fail_start(StartFailure::BadConfig, std::move(detail));
    }
}

std::unexpected<Error> TomlFile::refuse(const toml::node& node, std::string_view message) const {
    return fail_start(StartFailure::BadConfig, at(path_, node.source().begin).append(message));
}

std::unexpected<Error> TomlFile::refuse(std::string_view message) const {
    return fail_start(StartFailure::BadConfig, (path_.string() + ": ").append(message));
}

std::unexpected<Error> TomlFile::refuse_unknown(const toml::key& key) const {
    return fail_start(StartFailure::BadConfig,
                      at(path_, key.source().begin) + "unknown key " + quoted(key.str()) +
                          "; correct its spelling or its place, or remove it");
}

Result<std::string> TomlFile::text(std::string_view key, const toml::node& node) const {
    const auto* value = node.as_string();
    if (value == nullptr) return refuse(node, quoted(key) + " must be text; put it in quotes");
    return value->get();
}

Result<bool> TomlFile::boolean(std::string_view key, const toml::node& node) const {
    const auto* value = node.as_boolean();
    if (value == nullptr) return refuse(node, quoted(key) + " must be true or false");
    return value->get();
}

Result<std::int64_t> TomlFile::integer(std::string_view key, const toml::node& node,
                                       std::int64_t min, std::int64_t max) const {
    const auto* value = node.as_integer();
    if (value != nullptr && value->get() >= min && value->get() <= max) return value->get();
    return refuse(node, quoted(key) + " must be a whole number from " + std::to_string(min) +
                            " to " + std::to_string(max) + "; change it");
}

Result<Duration> TomlFile::duration(std::string_view key, const toml::node& node, Duration min,
                                    Duration max) const {
    const auto* text = node.as_string();
    const auto value = text == nullptr ? std::nullopt : parse_duration(text->get());
    if (value && *value >= min && *value <= max) return *value;
    return refuse(node, quoted(key) + " must be a duration from \"" + duration_text(min) +
                            "\" to \"" + duration_text(max) +
                            "\"; write it in quotes with a unit, like \"250ms\", \"30s\", \"5m\"");
}

std::optional<Duration> parse_duration(std::string_view text) noexcept {
    std::int64_t count = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), count);
    // from_chars takes a minus sign; "-0s" is no better than "-1s".
    if (ec != std::errc() || text.starts_with('-')) return std::nullopt;
    const auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
    for (const auto& known : kUnits) {
        if (known.name != unit) continue;
        if (count > std::numeric_limits<std::int64_t>::max() / known.ms) return std::nullopt;
        return Duration(count * known.ms);
    }
    return std::nullopt;
}

std::string duration_text(Duration duration) {
    for (const auto& unit : kUnits) {
        if (duration.count() % unit.ms != 0 || (duration.count() == 0 && unit.ms > 1000)) continue;
        return std::to_string(duration.count() / unit.ms).append(unit.name);
    }
    return std::to_string(duration.count()).append("ms");
}

}  // namespace fencegate::proxy
