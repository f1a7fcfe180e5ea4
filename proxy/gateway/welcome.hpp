#pragma once
// What the terminal shows when the gateway starts: where it listens, the key that was just made
// (once, and never again), and three curl lines that show a grant, a fenced refund and a refusal.
// A log that is kept is told where the key is, not the key.
// Thread rule: main thread, at start.

#include "base/log.hpp"
#include "proxy/config/config.hpp"
#include "proxy/tls/certificates.hpp"

#include <optional>
#include <string>

namespace fencegate::proxy {

struct Welcome {
    const Config& config;
    Endpoint listen;
    Endpoint admin_listen;
    const CertificateFiles& certificates;
    const std::optional<std::string>& first_key;
};

void print_welcome(const Welcome& welcome, const Log& log);

}  // namespace fencegate::proxy
