#pragma once
// Clients that ask without a pause, each on one kept-alive connection, while the gateway is being
// operated on. What they count as lost: a request sent in full on a connection whose last reply did
// not say "Connection: close", and never answered.
// Thread rule: one owner; the clients have threads of their own, joined by finish().
// Errors: what ends a client unexpectedly is counted and kept as text; a load that stands still is
// a std::runtime_error.

#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace fencegate::testing {

struct LoadReport {
    std::size_t answered = 0;
    std::size_t told_to_close = 0;  // clients whose last reply said so: the polite end
    std::size_t lost = 0;
    std::size_t failed = 0;  // answers of any other status than expected
    std::vector<std::string> problems;
};

// None was lost, and none was answered otherwise than expected.
void expect_all_answered(const LoadReport& report);

class SteadyLoad {
public:
    // Returns once every client has had its first answer.
    SteadyLoad(const GatewayProcess& gateway, std::size_t clients);
    ~SteadyLoad() { stop_ = true; }

    // Until that many more answers have come; throws if they do not.
    void await_answers(std::size_t more);
    // Lets every client finish the exchange it is in.
    LoadReport finish();
    // For clients that the gateway will end.
    LoadReport await_end();

private:
    void run(HttpsClient client, std::string payment);
    bool exchange(HttpsClient& client, const std::string& payment);
    bool check(const Response& response, int wanted);

    std::atomic<bool> stop_ = false;
    std::mutex mutex_;
    std::condition_variable has_answer_;
    LoadReport report_;  // guarded by mutex_
    std::vector<std::jthread> threads_;
};

}  // namespace fencegate::testing
