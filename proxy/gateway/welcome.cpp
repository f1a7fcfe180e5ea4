#include "proxy/gateway/welcome.hpp"

#include "proxy/gateway/version.hpp"

#include <cstdio>

namespace fencegate::proxy {
namespace {

// The lines can be pasted into a shell as they are.
constexpr const char* kTry = R"text(
Try it in another terminal (same folder):

  fg() { curl -sS --cacert %s/ca.pem -H "Authorization: Bearer $(cat %s/api-key)" -H 'Content-Type: application/json' "$@"; }
  fg https://%s/v1/payments -H 'Idempotency-Key: sale-1' -d '{"id":"pay_42","amount":5000,"currency":"EUR"}'

  1. take the lock: the answer names its fencing token
  fg https://%s/v1/locks/payments/pay_42 -d '{"owner":"worker-a","ttl_ms":60000}'

  2. refund under that token: paid once, however often it is repeated
  fg https://%s/v1/payments/pay_42/refunds -H 'X-Fence-Token: 1' -H 'Idempotency-Key: refund-1' -d '{"amount":2000}'

  3. a token that is not live is refused, and nothing changes
  fg https://%s/v1/payments/pay_42/refunds -H 'X-Fence-Token: 99' -H 'Idempotency-Key: refund-2' -d '{"amount":2000}'

)text";

}  // namespace

void print_welcome(const Welcome& welcome) {
    const auto listen = to_string(welcome.listen);
    const auto folder = welcome.config.data_dir.string();
    for (const auto& notice : welcome.certificates.notices)
        std::fprintf(stderr, "fencegate: %s\n", notice.c_str());
    std::fprintf(stderr, "fencegate %s serves https://%s (admin https://%s), data in %s\n",
                 kVersion, listen.c_str(), to_string(welcome.admin_listen).c_str(), folder.c_str());
    if (!welcome.first_key) return;
    std::fprintf(stderr, "API key, shown once (also in %s/api-key): %s\n", folder.c_str(),
                 welcome.first_key->c_str());
    std::fprintf(stderr, kTry, folder.c_str(), folder.c_str(), listen.c_str(), listen.c_str(),
                 listen.c_str(), listen.c_str());
}

}  // namespace fencegate::proxy
