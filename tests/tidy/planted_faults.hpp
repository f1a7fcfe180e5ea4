#pragma once
// The faults that the simulation must find (tests/simulation/faults) are patches. They are applied
// only now and then; a patch whose place in the sources has changed would be missed until then.
// Owns: whether a patch still has its place. Refuses to own: whether it compiles and is found
// (scripts/evidence simulation-faults).
// Thread rule: pure functions. Errors: as the other checks.

#include "tests/tidy/checks.hpp"

#include <functional>

namespace fencegate::tidy {

// As patch with its fuzz: the lines that a hunk takes out stand in the file; of one that only adds
// something, the lines around it do. `read` returns the text of a path of the repository.
[[nodiscard]] Findings check_planted_fault(
    const SourceFile& patch, const std::function<std::string(const std::string&)>& read);

}  // namespace fencegate::tidy
