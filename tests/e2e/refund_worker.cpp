// A worker as a user would write one, driven line by line by the paused-worker test.
//
//   refund_worker HOST PORT CA KEY PAYMENT OWNER TTL_MS AMOUNT IDEMPOTENCY_KEY
//
// stdin      stdout
// acquire    granted TOKEN LEASE | refused STATUS CODE
// acquire N  the same, after waiting up to N ms for its turn
// refund     STATUS ok | STATUS CODE     with the token of its last grant, live or not
// release    released | refused STATUS CODE
// quit       (ends with 0)
//
// It never asks the clock whether its lease is still good: it believes what it was last told, as
// a paused process does. Every command uses a connection of its own, for the same reason: the old
// one may have been closed while it slept. A failure to reach the gateway is "error TEXT".
#include "tests/support/https_client.hpp"
#include "tests/support/reply_matcher.hpp"

#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

using fencegate::testing::filled;
using fencegate::testing::Headers;
using fencegate::testing::HttpsClient;
using fencegate::testing::Response;

struct Job {
    HttpsClient::Options gateway;
    std::string payment;
    std::string owner;
    std::string ttl_ms;
    std::string amount;
    std::string idempotency_key;
};

class RefundWorker {
public:
    explicit RefundWorker(Job job) : job_(std::move(job)) {}

    std::string run(const std::string& command) {
        if (command == "acquire") return acquire("0");
        if (command.starts_with("acquire ")) return acquire(command.substr(8));
        if (command == "refund") return refund();
        if (command == "release") return release();
        return "error unknown command " + command;
    }

private:
    std::string acquire(const std::string& wait_ms) {
        const auto answer = request(
            "POST", "/v1/locks/payments/" + job_.payment, {},
            filled(R"({"ttl_ms":$,"wait_ms":$,"owner":"$"})", job_.ttl_ms, wait_ms, job_.owner));
        if (answer.status != 201) return refused(answer);
        token_ = answer.header("X-Fence-Token");
        lease_ = answer.json_text("lease_id");
        return "granted " + token_ + " " + lease_;
    }

    std::string refund() {
        const Headers headers{{"X-Fence-Token", token_}, {"Idempotency-Key", job_.idempotency_key}};
        const auto answer = request("POST", "/v1/payments/" + job_.payment + "/refunds", headers,
                                    filled(R"({"amount":$})", job_.amount));
        const bool done = answer.status >= 200 && answer.status < 300;
        return std::to_string(answer.status) + " " + (done ? "ok" : answer.json_text("code"));
    }

    std::string release() {
        const auto answer = request("DELETE", "/v1/leases/" + lease_, {}, {});
        return answer.status == 204 ? "released" : refused(answer);
    }

    Response request(const char* method, const std::string& target, const Headers& headers,
                     const std::string& body) {
        HttpsClient client(job_.gateway);
        auto answer = client.request(method, target, headers, body);
        client.close();
        return answer;
    }

    static std::string refused(const Response& answer) {
        return "refused " + std::to_string(answer.status) + " " + answer.json_text("code");
    }

    Job job_;
    std::string token_;
    std::string lease_;
};

Job parse(char** argument) {
    Job job;
    job.gateway.host = argument[1];
    job.gateway.port = static_cast<std::uint16_t>(std::stoul(argument[2]));
    job.gateway.ca_file = argument[3];
    job.gateway.api_key = argument[4];
    job.payment = argument[5];
    job.owner = argument[6];
    job.ttl_ms = argument[7];
    job.amount = argument[8];
    job.idempotency_key = argument[9];
    return job;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 10) {
        std::cerr << "usage: refund_worker HOST PORT CA KEY PAYMENT OWNER TTL_MS AMOUNT "
                     "IDEMPOTENCY_KEY\n";
        return 64;
    }
    try {
        RefundWorker worker(parse(argv));
        for (std::string command; std::getline(std::cin, command) && command != "quit";) {
            std::string answer;
            try {
                answer = worker.run(command);
            } catch (const std::exception& error) {
                answer = std::string("error ") + error.what();
            }
            std::cout << answer << std::endl;
        }
    } catch (const std::exception& error) {
        std::cerr << "refund_worker: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
