#include "tests/e2e/steady_load.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace fencegate::testing {
namespace {

constexpr std::chrono::seconds kStandstill{20};

}  // namespace

void expect_all_answered(const LoadReport& report) {
    EXPECT_EQ(report.lost, 0U);
    EXPECT_EQ(report.failed, 0U);
    for (const auto& problem : report.problems) ADD_FAILURE() << problem;
}

SteadyLoad::SteadyLoad(const GatewayProcess& gateway, std::size_t clients) {
    auto first = gateway.client();
    for (std::size_t at = 0; at < clients; ++at) {
        const auto payment = "load_" + std::to_string(at);
        create_payment(first, payment, 1'000'000);
        threads_.emplace_back([this, client = gateway.client(), payment]() mutable {
            run(std::move(client), payment);
        });
    }
    await_answers(clients);
}

void SteadyLoad::await_answers(std::size_t more) {
    std::unique_lock lock(mutex_);
    const auto wanted = report_.answered + more;
    const bool came =
        has_answer_.wait_for(lock, kStandstill, [&] { return report_.answered >= wanted; });
    if (!came) throw std::runtime_error("the load stands still");
}

LoadReport SteadyLoad::finish() {
    stop_ = true;
    return await_end();
}

LoadReport SteadyLoad::await_end() {
    threads_.clear();
    const std::lock_guard lock(mutex_);
    return report_;
}

void SteadyLoad::run(HttpsClient client, std::string payment) {
    try {
        while (!stop_) {
            if (exchange(client, payment)) continue;
            const std::lock_guard lock(mutex_);
            ++report_.told_to_close;
            return;
        }
    } catch (const std::runtime_error& error) {
        const std::lock_guard lock(mutex_);
        ++report_.lost;
        report_.problems.emplace_back(error.what());
    }
}

// False once the gateway has said that this connection ends.
bool SteadyLoad::exchange(HttpsClient& client, const std::string& payment) {
    const auto grant = acquire(client, payment);
    if (!check(grant, 201)) return false;
    if (!check(client.request("GET", "/v1/payments/" + payment), 200)) return false;
    return check(release(client, grant.json_text("lease_id")), 204);
}

bool SteadyLoad::check(const Response& response, int wanted) {
    const std::lock_guard lock(mutex_);
    ++report_.answered;
    has_answer_.notify_all();
    if (response.status != wanted) {
        ++report_.failed;
        report_.problems.push_back(std::to_string(response.status) + " " + response.body);
    }
    return response.header("Connection") != "close";
}

}  // namespace fencegate::testing
