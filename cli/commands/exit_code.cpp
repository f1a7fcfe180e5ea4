#include "cli/commands/exit_code.hpp"

#include "base/start_failure.hpp"

namespace fencegate::cli {

ExitCode exit_code_of(const Error& error) {
    const auto failure = start_failure_of(error);
    if (!failure) return ExitCode::Internal;
    switch (*failure) {
        case StartFailure::BadData: return ExitCode::BadData;
        case StartFailure::CannotRead: return ExitCode::NoInput;
        case StartFailure::Unavailable: return ExitCode::Unavailable;
        case StartFailure::CannotCreate: return ExitCode::CannotCreate;
        case StartFailure::InUse: return ExitCode::TempFailure;
        case StartFailure::NotPermitted: return ExitCode::NoPermission;
        case StartFailure::BadConfig: return ExitCode::Config;
    }
    return ExitCode::Internal;
}

}  // namespace fencegate::cli
