#pragma once
// Failure: why an engine could not do what it was told, classified by what must be done about it.
// Thread rule: a plain value.

#include <cstdint>
#include <string>

namespace fencegate::storage {

struct Failure {
    enum class Kind : std::uint8_t {
        Full,        // no space: roll back, answer, go on
        Constraint,  // a rule of the schema held where ours did not: refuse this command
        Busy,        // another process uses the file; only at start, we lock it for good
        Damaged,     // a page or a row is not as it was written: refuse what needs it
        Lost,        // what was done so far is gone, and nothing of it stays: decide it again
        Fatal,       // the disk or the file can no longer be trusted: stop
    };
    Kind kind;
    std::string message;
};

}  // namespace fencegate::storage
