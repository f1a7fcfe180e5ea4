#pragma once
// How a command ended, said as one fact: EXPECT_THAT(run, Exits(65, "fencegate restore")).
// Thread rule: plain values.

#include "tests/support/child_process.hpp"

#include <gmock/gmock-matchers.h>

#include <ostream>

namespace fencegate::testing {

// For failures: all that it said.
inline std::ostream& operator<<(std::ostream& out, const CommandResult& result) {
    return out << "exit code " << result.exit_code << "\n" << result.out << result.err;
}

// With this code, and with each of these parts on its standard error.
// NOLINTBEGIN(readability-identifier-naming): matchers are named as gMock names its own.
template <typename... Parts>
[[nodiscard]] auto Exits(int code, const Parts&... parts) {
    return ::testing::AllOf(
        ::testing::Field("exit_code", &CommandResult::exit_code, code),
        ::testing::Field("err", &CommandResult::err, ::testing::HasSubstr(std::string(parts)))...);
}
// NOLINTEND(readability-identifier-naming)

}  // namespace fencegate::testing
