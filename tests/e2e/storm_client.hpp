#pragma once
// A client that counts what it was told, in the words of the metrics: after a storm of many of them
// one scrape must say the same, series by series. Every answer is counted, whatever it is; one that
// it cannot place throws.
// Thread rule: one thread a client; add the tallies up when the threads are done.
// Errors: std::runtime_error for an answer that no rule explains, and as HttpsClient.

#include "tests/support/https_client.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace fencegate::testing {

// Growth by series, named as the exposition text has it, e.g. fencegate_payments_total{...}.
using Tally = std::map<std::string, std::uint64_t>;

void add(Tally& sum, const Tally& more);

struct StormLease {
    std::string lock;
    std::string id;
    std::string token;
};

class StormClient {
public:
    explicit StormClient(HttpsClient client) : client_(std::move(client)) {}

    // Granted: a lease. Not granted: an empty id.
    StormLease acquire(const std::string& lock, std::int64_t ttl_ms, std::int64_t wait_ms = 0,
                       const std::string& key = {});
    void renew(const StormLease& lease);
    void release(const StormLease& lease);
    void break_lock(const StormLease& lease);
    // Looks until the lease is no longer live. REQUIRES: nobody ends it.
    void await_expiry(const StormLease& lease);
    void await_waiters(const std::string& lock, std::int64_t count);

    // `token` "" for none. Returns the answer's code, "" for success.
    std::string create(const std::string& payment, const std::string& key,
                       const std::string& lock_of_token = {}, const std::string& token = {});
    std::string move(const std::string& payment, std::string_view action, const std::string& key,
                     const std::string& token, std::int64_t amount = 1);
    void look(const std::string& target, std::string_view route);

    [[nodiscard]] const Tally& told() const { return told_; }

private:
    Response ask(std::string_view method, const std::string& target, std::string_view route,
                 const Headers& headers = {}, const std::string& body = {});
    void count(const std::string& series) { ++told_[series]; }
    void count_acquire(const Response& answer, const std::string& lock, bool waits, bool has_key);
    void count_write(const Response& answer, std::string_view operation,
                     const std::string& lock_class, bool is_fenced);
    void count_fence(const std::string& lock_class, std::string_view result);

    HttpsClient client_;
    Tally told_;
};

}  // namespace fencegate::testing
