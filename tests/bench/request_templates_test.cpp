#include "bench/request_templates.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fencegate::bench {
namespace {

std::string filled_id(std::size_t payment) {
    std::string id;
    append_filled_id(id, payment);
    return id;
}

TEST(RequestTemplates, NameExistingPaymentsAsTheFillerMadeThem) {
    BenchOptions options;
    options.existing = true;
    RequestTemplates templates(options, "run", 0);
    std::string acquire;
    std::string refund;

    templates.acquire(acquire, 7);
    templates.refund(refund, 7, "42");

    EXPECT_TRUE(acquire.starts_with("POST /v1/locks/payments/" + filled_id(7) + " HTTP/1.1\r\n"));
    EXPECT_TRUE(refund.starts_with("POST /v1/payments/" + filled_id(7) + "/refunds HTTP/1.1\r\n"));
}

TEST(RequestTemplates, NameThePaymentThatTheyCreated) {
    RequestTemplates templates({}, "run", 0);
    std::string create;
    std::string acquire;

    templates.create(create, 7);
    templates.acquire(acquire, 7);

    EXPECT_NE(create.find(R"({"id":"bench_run_7",)"), std::string::npos);
    EXPECT_TRUE(acquire.starts_with("POST /v1/locks/payments/bench_run_7 HTTP/1.1\r\n"));
}

TEST(RequestTemplates, LetTheRefundReleaseInTheShortCycleOnly) {
    for (const std::size_t calls : {2u, 3u}) {
        BenchOptions options;
        options.calls = calls;
        RequestTemplates templates(options, "run", 0);
        std::string refund;

        templates.refund(refund, 7, "42");

        const bool releases = refund.find("\r\nX-Fence-Release: 1\r\n") != std::string::npos;
        EXPECT_EQ(releases, calls == 2) << refund;
        EXPECT_NE(refund.find("\r\nX-Fence-Token: 42\r\n\r\n"), std::string::npos) << refund;
    }
}

TEST(PaymentIds, AreThoseOfStoresFilledBefore) {
    EXPECT_EQ(filled_id(0), "pay_e220a8397b1dcdaf6e789e6aa1b965f4");
    EXPECT_EQ(filled_id(9'999'999).size(), filled_id(0).size());
    EXPECT_NE(filled_id(1), filled_id(2));
}

}  // namespace
}  // namespace fencegate::bench
