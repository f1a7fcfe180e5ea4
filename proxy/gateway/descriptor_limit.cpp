#include "proxy/gateway/descriptor_limit.hpp"

#include <string>
#include <sys/resource.h>

namespace fencegate::proxy {

// Every connection is a descriptor, and the usual soft limit is a tenth of connections_max.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

// What the system allows, less what the gateway itself needs.
std::size_t connections_allowed(std::size_t connections_max, const Log& log) {
    constexpr rlim_t kOwnDescriptors = 64;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return connections_max;
    const auto room = limit.rlim_cur > kOwnDescriptors ? limit.rlim_cur - kOwnDescriptors : 1;
    if (room >= connections_max) return connections_max;
    log.warning("connections_max is " + std::to_string(connections_max) +
                ", but the limit of open files allows " + std::to_string(room) +
                "; raise it (ulimit -n)");
    return static_cast<std::size_t>(room);
}

}  // namespace fencegate::proxy
