// A gateway that stands still, as a stopped process or a moved VM does, takes nobody's lease.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class StandingStill : public GatewaySuite {
protected:
    // Longer than the leases here.
    static constexpr std::chrono::milliseconds kStop{2'500};

    // The gateway stands still for kStop; `meanwhile` is done at the beginning of it.
    static void stand_still(const std::function<void()>& meanwhile) {
        auto options = gateway().client_options();
        options.deadline = kStop;
        HttpsClient watch(options);
        watch.connect();
        gateway().pause();
        meanwhile();
        EXPECT_FALSE(watch.closed_by_peer()) << "not within the time of the stop";
        gateway().resume();
    }
};

TEST_F(StandingStill, ARenewalThatWasSentMeanwhileIsGood) {
    auto holder = gateway().client();
    const auto own = grant(fresh("lock"), 1'000);

    stand_still([&] {
        holder.send_raw(
            request_text(gateway(), "POST", "/v1/leases/" + own.lease_id + "/renew", {}, "{}"));
    });

    EXPECT_THAT(holder.read_response(), Is(200, R"({"remaining_ms":1000})"));
}

TEST_F(StandingStill, NobodyInLineIsGrantedBecauseOfIt) {
    const auto own = grant(fresh("lock"), 1'000);
    auto waiting = stand_in_line(own.lock, 1);

    stand_still([] {});

    EXPECT_EQ(state_of(own), "live");
    EXPECT_THAT(waiting.read_response(), Is(201)) << "once its time is over";
}

}  // namespace
}  // namespace fencegate::contract
