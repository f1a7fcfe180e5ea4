#include "storage/postgres/server_failure.hpp"

namespace fencegate::storage::postgres {

Failure::Kind kind_of(std::string_view sqlstate) noexcept {
    using Kind = Failure::Kind;
    const auto of_class = sqlstate.substr(0, 2);
    if (sqlstate == "53100") return Kind::Full;  // disk_full
    // A value that the type refuses, as text that is no UTF-8, is the command's fault too.
    if (of_class == "23" || of_class == "22") return Kind::Constraint;
    if (sqlstate == "XX001" || sqlstate == "XX002") return Kind::Damaged;
    // The connection is gone; the server ends, starts, has no room or is a standby; two
    // transactions were in each other's way: nothing of this one is there, and another try may do.
    if (of_class.empty() || of_class == "08" || of_class == "57" || of_class == "53" ||
        of_class == "40" || sqlstate == "25006" || sqlstate == "25P03")
        return Kind::Lost;
    return Kind::Fatal;
}

}  // namespace fencegate::storage::postgres
