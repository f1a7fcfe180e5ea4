#include "proxy/gateway/welcome.hpp"

#include "proxy/gateway/version.hpp"

#include <string>

namespace fencegate::proxy {
namespace {

// The lines can be pasted into a shell as they are.
constexpr std::string_view kFirstSteps =
    R"text(API key, shown once (also in {folder}/api-key): {key}

Try it in another terminal (same folder):

  fg() { curl -sS --cacert {folder}/ca.pem -H "Authorization: Bearer $(cat {folder}/api-key)" -H 'Content-Type: application/json' "$@"; }
  fg https://{listen}/v1/payments -H 'Idempotency-Key: sale-1' -d '{"id":"pay_42","amount":5000,"currency":"EUR"}'

  1. take the lock: the answer names its fencing token
  fg https://{listen}/v1/locks/payments/pay_42 -d '{"owner":"worker-a","ttl_ms":60000}'

  2. refund under that token: paid once, however often it is repeated
  fg https://{listen}/v1/payments/pay_42/refunds -H 'X-Fence-Token: 1' -H 'Idempotency-Key: refund-1' -d '{"amount":2000}'

  3. a token that is not live is refused, and nothing changes
  fg https://{listen}/v1/payments/pay_42/refunds -H 'X-Fence-Token: 99' -H 'Idempotency-Key: refund-2' -d '{"amount":2000}'

)text";

void fill_in(std::string& text, std::string_view name, std::string_view value) {
    for (auto at = text.find(name); at != text.npos; at = text.find(name, at + value.size()))
        text.replace(at, name.size(), value);
}

std::string first_steps(std::string_view folder, std::string_view key, std::string_view listen) {
    std::string text(kFirstSteps);
    fill_in(text, "{key}", key);
    fill_in(text, "{listen}", listen);
    fill_in(text, "{folder}", folder);
    return text;
}

}  // namespace

void print_welcome(const Welcome& welcome, const Log& log) {
    const auto listen = to_string(welcome.listen);
    const auto folder = welcome.config.data_dir.string();
    for (const auto& notice : welcome.certificates.notices) log.info(notice);
    std::string serves(kVersion);
    serves.append(" serves https://").append(listen).append(" (admin https://");
    serves.append(to_string(welcome.admin_listen)).append("), data in ").append(folder);
    log.info(serves);
    if (!welcome.first_key) return;
    if (log.is_for_people())
        log.show(first_steps(folder, *welcome.first_key, listen));
    else
        log.info("made the first API key: it is in " + folder + "/api-key");
}

}  // namespace fencegate::proxy
