#pragma once
// The composition root: config -> store -> credentials -> certificates -> listeners -> signals.
// gateway_open.cpp tells how the process begins, gateway.cpp how it lives and ends.
// Thread rule: call once, on the main thread; it returns when the gateway has drained.

#include "base/log.hpp"
#include "proxy/config/config.hpp"

namespace fencegate::proxy {

// Serves until SIGTERM or SIGINT and then drains; a second signal ends it at once. SIGHUP reads the
// API keys and certificates again and opens the access log anew.
// Fails with: a StartFailure before it serves; OutcomeUnknown if the disk failed while serving.
[[nodiscard]] Result<> run_gateway(const Config& config, const Clock& clock, const Log& log);

}  // namespace fencegate::proxy
