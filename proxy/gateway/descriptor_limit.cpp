#include "proxy/gateway/descriptor_limit.hpp"

#include <cstdio>
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
std::size_t connections_allowed(std::size_t connections_max) {
    constexpr rlim_t kOwnDescriptors = 64;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return connections_max;
    const auto room = limit.rlim_cur > kOwnDescriptors ? limit.rlim_cur - kOwnDescriptors : 1;
    if (room >= connections_max) return connections_max;
    std::fprintf(stderr,
                 "fencegate: connections_max is %zu, but the limit of open files allows %zu; raise "
                 "it (ulimit -n)\n",
                 connections_max, static_cast<std::size_t>(room));
    return static_cast<std::size_t>(room);
}

}  // namespace fencegate::proxy
