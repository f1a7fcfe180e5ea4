// Waiting for a lock: a grant reaches who waits for it, and never somebody who has left.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Waiting : public GatewaySuite {
protected:
    // A client of its own that now waits for the lock, as the `place`th.
    HttpsClient waiter(std::int64_t place) { return stand_in_line(own.lock, place); }

    const Grant own = grant(fresh("lock"));
};

TEST_F(Waiting, EndsWithAWholeLeaseWhenTheHoldersRunsOut) {
    const auto brief = grant(fresh("lock"), 100);

    EXPECT_THAT(acquire(brief.lock, R"({"wait_ms":10000,"ttl_ms":5000})"),
                Is(201, R"({"fencing_token":"<$..>","remaining_ms":5000})", brief.token))
        << "the wait is not taken off the lease";
}

TEST_F(Waiting, AClientThatClosedOrWasResetIsNeverGranted) {
    auto closed = waiter(1);
    auto reset = waiter(2);
    auto next = waiter(3);

    closed.close();
    reset.abort_connection();
    await_waiters(own.lock, 1);
    release(own);

    EXPECT_THAT(next.read_response(), Is(201));
}

TEST_F(Waiting, KeepsRequestsSentAheadInOrder) {
    auto pipelining = waiter(1);
    pipelining.send_raw(request_text(gateway(), "GET", "/v1/payments/none"));

    release(own);

    EXPECT_THAT(pipelining.read_response(), Is(201));
    EXPECT_THAT(pipelining.read_response(), Refused(404, "payment_not_found"));
}

TEST_F(Waiting, ADepartureBehindPipelinedRequestsIsNoticed) {
    auto gone = waiter(1);
    gone.send_raw(request_text(gateway(), "GET", "/v1/payments/none"));

    gone.close();

    await_waiters(own.lock, 0);
}

}  // namespace
}  // namespace fencegate::contract
