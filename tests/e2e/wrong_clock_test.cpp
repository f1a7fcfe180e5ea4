// A gateway whose wall clock is set while it runs, at a start and at its very first start.
#include "base/clock.hpp"
#include "tests/support/api_calls.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/reply_matcher.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace fencegate::testing {
namespace {

using namespace std::chrono_literals;

constexpr Duration kTenYears = std::chrono::hours(24 * 3652);

// The error of a gateway's wall clock, shared with it.
class ClockError {
public:
    ClockError() : file_(folder_ / "error") {
        const int descriptor = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        EXPECT_EQ(::ftruncate(descriptor, sizeof(std::int64_t)), 0);
        mapped_ = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ | PROT_WRITE, MAP_SHARED,
                         descriptor, 0);
        ::close(descriptor);
    }
    ~ClockError() { ::munmap(mapped_, sizeof(std::int64_t)); }
    ClockError(const ClockError&) = delete;
    ClockError& operator=(const ClockError&) = delete;

    void set(Duration error) { *static_cast<volatile std::int64_t*>(mapped_) = error.count(); }
    [[nodiscard]] GatewayOptions options() const {
        return {.environment = {"LD_PRELOAD=" FENCEGATE_CLOCK_SHIM,
                                "FENCEGATE_TEST_CLOCK_ERROR=" + file_.string()}};
    }

private:
    TempDir folder_;
    std::filesystem::path file_;
    void* mapped_ = nullptr;
};

// How far the newest entry's time is from the true one.
Duration booked(HttpsClient& client) {
    const auto newest = client.request("GET", "/v1/ledger/entries?limit=1");
    const auto at = parse_rfc3339(newest.json_text("/data/0/booked_at"));
    EXPECT_TRUE(at) << newest.body;
    return at.value_or(WallTime{}) - SystemClock().wall_now();
}

void await_line(const GatewayProcess& gateway, std::string_view line) {
    auto admin = gateway.admin_client();
    await(line, [&] {
        // Something to do, so that the store looks at its clock.
        static_cast<void>(metric(admin, "fencegate_draining"));
        return gateway.output().find(line) != std::string::npos;
    });
}

bool accepts_a_client(const GatewayProcess& gateway) {
    try {
        static_cast<void>(gateway.client());
        return true;
    } catch (const std::runtime_error&) {
        return false;
    }
}

TEST(WrongClockOfAProcess, SetInMidRunChangesNeitherBooksNorHolds) {
    ClockError clock;
    GatewayProcess gateway(clock.options());
    auto client = gateway.client();
    int made = 0;
    for (const auto error : {kTenYears, Duration(0), -kTenYears, Duration(0), Duration(1h)}) {
        SCOPED_TRACE(error.count());
        clock.set(error);
        const auto id = "pay_" + std::to_string(++made);
        create_payment(client, id, 5'000);
        const auto grant = acquire(client, id);
        EXPECT_THAT(refund(client, id, {.token = grant.header("X-Fence-Token"), .key = "r" + id}),
                    Is(201));
        EXPECT_LT(abs(booked(client)), 1s);
        EXPECT_THAT(gateway.client().request("GET", "/v1/locks/a"), Is(200));
    }

    auto admin = gateway.admin_client();
    EXPECT_EQ(metric(admin, "fencegate_clock_jumps_total"), "3");
    EXPECT_NEAR(std::stod(metric(admin, "fencegate_clock_offset_seconds")), 3'600, .5);
    await_line(gateway, "the wall clock was set: it shows 20");
    EXPECT_EQ(gateway.stop(), 0);
}

TEST(WrongClockOfAProcess, AtALaterStartLocksNobodyOut) {
    ClockError clock;
    GatewayProcess gateway(clock.options());
    for (const auto error : {Duration(0), kTenYears, -kTenYears, Duration(0)}) {
        SCOPED_TRACE(error.count());
        gateway.kill9();
        clock.set(error);
        gateway.start();
        auto client = gateway.client();
        create_payment(client, "pay_" + std::to_string(gateway.pid()), 5'000);
        EXPECT_LT(abs(booked(client)), 1s);
    }
}

// Until then nobody can connect: what the first start made is not valid yet.
TEST(WrongClockOfAProcess, AtTheVeryFirstStartHealsByItselfOnceItIsRight) {
    ClockError clock;
    clock.set(kTenYears);
    GatewayProcess gateway(clock.options());
    EXPECT_FALSE(accepts_a_client(gateway));

    clock.set(0ms);
    await("a client that is let in", [&] { return accepts_a_client(gateway); });

    auto client = gateway.client();
    create_payment(client, "pay_1", 5'000);
    EXPECT_LT(abs(booked(client)), 1s);
    EXPECT_EQ(gateway.stop(), 0);
}

TEST(WrongClockOfAProcess, AtTheVeryFirstStartIsHealedByARestart) {
    ClockError clock;
    clock.set(kTenYears);
    GatewayProcess gateway(clock.options());
    EXPECT_EQ(gateway.stop(), 0);

    clock.set(0ms);
    gateway.start();

    auto client = gateway.client();
    create_payment(client, "pay_1", 5'000);
    EXPECT_LT(abs(booked(client)), 1s);
}

TEST(WrongClockOfAProcess, AnOwnCertificateThatIsNotValidYetIsRefusedAtAReload) {
    ClockError ahead;
    ahead.set(kTenYears);
    GatewayProcess other(ahead.options());
    GatewayProcess gateway;
    for (const auto* name : {"server.pem", "server.key"})
        std::filesystem::copy_file(other.data_dir() / name, gateway.data_dir() / name,
                                   std::filesystem::copy_options::overwrite_existing);

    gateway.signal(SIGHUP);
    await_line(gateway, "reload failed, the old settings stay");

    EXPECT_NE(gateway.output().find("is not valid before 20"), std::string::npos);
    EXPECT_THAT(gateway.client().request("GET", "/v1/locks/a"), Is(200));
}

}  // namespace
}  // namespace fencegate::testing
