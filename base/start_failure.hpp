#pragma once
// StartFailure: why the program could not start or finish its job, for the exit code.
//
// Owns: the few kinds of failure an operator or a service manager tells apart. They travel inside
// an Error (code Internal unless the operator's own words are at fault, then InvalidArgument).
// Refuses to own: the numbers; cli/commands/exit_code.hpp has the one switch. Thread rule: plain
// values.

#include "base/result.hpp"

#include <optional>

namespace fencegate {

enum class StartFailure : std::uint8_t {
    BadData,       // a file this program wrote is damaged, e.g. a corrupt store
    CannotRead,    // an input is missing or unreadable, e.g. a certificate
    Unavailable,   // something outside is in the way, e.g. the address is in use
    CannotCreate,  // an output cannot be written, e.g. a read-only data folder
    InUse,         // another process has it; trying again later may work
    NotPermitted,  // the gateway does not know the key, or the key may not do this
    BadConfig,     // configuration or key file says something that cannot be
};

inline constexpr std::string_view kStartFailureMember = "start_failure";

[[nodiscard]] inline std::unexpected<Error> fail_start(StartFailure failure, std::string detail) {
    const auto code =
        failure == StartFailure::BadConfig ? ErrorCode::InvalidArgument : ErrorCode::Internal;
    return fail(code, std::move(detail),
                {{kStartFailureMember, std::int64_t{std::to_underlying(failure)}}});
}

// Nothing for an Error that fail_start() did not make.
[[nodiscard]] inline std::optional<StartFailure> start_failure_of(const Error& error) {
    for (const auto& member : error.members) {
        if (member.name != kStartFailureMember) continue;
        return static_cast<StartFailure>(std::get<std::int64_t>(member.value));
    }
    return std::nullopt;
}

}  // namespace fencegate
