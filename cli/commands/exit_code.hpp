#pragma once
// The program's exit codes, after BSD sysexits.h: service managers and scripts branch on them.
// docs/operations.md lists them for operators. Thread rule: plain values.

#include "base/result.hpp"

#include <utility>

namespace fencegate::cli {

enum class ExitCode : int {
    Ok = 0,             // done, or drained after SIGTERM
    NotSound = 1,       // verify has looked at the store, and it is not sound
    Usage = 64,         // the command line is wrong
    BadData = 65,       // a file the program wrote is damaged, e.g. the store
    NoInput = 66,       // an input cannot be read, e.g. a certificate or the configuration
    Unavailable = 69,   // something outside is in the way, e.g. no gateway answers
    Internal = 70,      // a fault of the program
    CannotCreate = 73,  // an output cannot be written, e.g. in the data folder
    TempFailure = 75,   // another process has the data folder; trying again may work
    NoPermission = 77,  // the gateway refused the key, or its scope
    Config = 78,        // the configuration says something that cannot be
};

[[nodiscard]] constexpr int to_status(ExitCode code) noexcept { return std::to_underlying(code); }

// Internal for an error that names no start failure.
[[nodiscard]] ExitCode exit_code_of(const Error& error);

}  // namespace fencegate::cli
