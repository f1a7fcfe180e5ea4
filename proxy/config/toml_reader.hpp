#pragma once
// Strict TOML: parse a file and refuse what does not fit, always as "file:line:col: message; what
// to do". Internal to proxy/: include it from .cpp files only, toml++ is heavy.
//
// Callers walk a table entry by entry and dispatch on the key; whatever no branch takes is an
// unknown key, so a misspelt limit can never be silently ignored.
// Thread rule: a TomlFile belongs to one thread.

#include "base/clock.hpp"
#include "base/result.hpp"

#include <toml++/toml.h>

#include <filesystem>
#include <string_view>

namespace fencegate::proxy {

class TomlFile {
public:
    // Fails with: CannotRead when the file is, BadConfig when it is no TOML.
    [[nodiscard]] static Result<TomlFile> load(const std::filesystem::path& path);

    [[nodiscard]] const toml::table& root() const noexcept { return root_; }

    // The message with the position of `node` in front. Fails with: BadConfig, always.
    [[nodiscard]] std::unexpected<Error> refuse(const toml::node& node,
                                                std::string_view message) const;
    // The same for a fault of the whole file, without a position.
    [[nodiscard]] std::unexpected<Error> refuse(std::string_view message) const;
    [[nodiscard]] std::unexpected<Error> refuse_unknown(const toml::key& key) const;

    // A value of the one type asked for, nothing converted. `key` is for the message.
    [[nodiscard]] Result<std::string> text(std::string_view key, const toml::node& node) const;
    [[nodiscard]] Result<bool> boolean(std::string_view key, const toml::node& node) const;
    [[nodiscard]] Result<std::int64_t> integer(std::string_view key, const toml::node& node,
                                               std::int64_t min, std::int64_t max) const;
    // Durations are text with a unit: "250ms", "30s", "5m", "1h".
    [[nodiscard]] Result<Duration> duration(std::string_view key, const toml::node& node,
                                            Duration min, Duration max) const;

private:
    TomlFile(std::filesystem::path path, toml::table root)
        : path_(std::move(path)), root_(std::move(root)) {}

    std::filesystem::path path_;
    toml::table root_;
};

// "250ms", "30s", "5m", "1h": digits and one unit. Nothing for anything else.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text) noexcept;

// The shortest text that parse_duration() reads as the same duration.
[[nodiscard]] std::string duration_text(Duration duration);

}  // namespace fencegate::proxy
