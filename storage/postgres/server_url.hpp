#pragma once
// ServerUrl: where the server is and how it is spoken to, from what the operator wrote. Owns the
// rules: one host, named; a host that is not this machine proves who it is.
// Thread rule: a plain value. It may hold a password: never told to anybody.

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fencegate::storage::postgres {

class ServerUrl {
public:
    // As libpq reads it: postgresql://user@host/database?name=value, or name=value pairs.
    // Fails with: StartFailure BadConfig, saying what to change, without the text itself.
    [[nodiscard]] static Result<ServerUrl> parse(std::string_view text);

    [[nodiscard]] const std::string* find(std::string_view name) const noexcept;
    // "database on host", for messages.
    [[nodiscard]] std::string place() const;
    [[nodiscard]] const auto& settings() const noexcept { return settings_; }

private:
    [[nodiscard]] Result<> check() const;
    [[nodiscard]] bool is_local() const;
    // Unless the operator has said otherwise.
    void set_default(std::string_view name, std::string_view value);

    std::vector<std::pair<std::string, std::string>> settings_;
};

}  // namespace fencegate::storage::postgres
