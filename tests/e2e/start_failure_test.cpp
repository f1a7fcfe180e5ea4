// Starts that must fail: with the documented exit code and a message that names what is wrong.
#include "tests/support/api_calls.hpp"
#include "tests/support/command_matcher.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/reply_matcher.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

TEST(StartFailure, ASecondGatewayOnOneFolderIsRefusedAndTheFirstUndisturbed) {
    GatewayProcess gateway;
    auto client = gateway.client();
    create_payment(client, "pay_42", 5'000);
    const auto grant = acquire(client, "pay_42");

    EXPECT_THAT(gateway.run_serve(gateway.data_dir()), Exits(75, gateway.data_dir().string()));

    EXPECT_THAT(refund(client, "pay_42", {.token = grant.header("X-Fence-Token"), .key = "r"}),
                Is(201));
    EXPECT_THAT(gateway.client().request("GET", "/v1/locks/a"), Is(200));
    EXPECT_EQ(gateway.stop(), 0);
}

TEST(StartFailure, ATakenAddressIsNamed) {
    GatewayProcess gateway;
    const auto taken = "127.0.0.1:" + std::to_string(gateway.listen().port);

    EXPECT_THAT(gateway.run_serve(gateway.folder() / "other", {"--listen", taken}),
                Exits(69, taken));
}

TEST(StartFailure, AFolderThatCannotBeMadeIsNamed) {
    GatewayProcess gateway;
    const auto below_a_file = gateway.data_dir() / "api-key" / "data";

    EXPECT_THAT(gateway.run_serve(below_a_file), Exits(73, below_a_file.string()));
}

// At which whoever opens it waits until somebody writes, and nobody does.
void put_a_pipe(const fs::path& file) { ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0); }

TEST(StartFailure, APipeForTheLockIsNamed) {
    GatewayProcess gateway;
    gateway.stop();
    const auto lock = gateway.data_dir() / "store.lock";
    fs::remove(lock);
    put_a_pipe(lock);

    EXPECT_THAT(gateway.run_serve(gateway.data_dir()), Exits(73, lock.string()));
}

// SQLite opens the journal of a store that is there.
TEST(StartFailure, APipeForAJournalHangsNobody) {
    GatewayProcess gateway;
    gateway.stop();
    put_a_pipe(gateway.data_dir() / "store.db-journal");

    EXPECT_NE(gateway.run_serve(gateway.data_dir()).exit_code, 0);
    EXPECT_NE(gateway.run_on_data("restore").exit_code, 0);
}

TEST(StartFailure, APipeForTheAccessLogThatNobodyReadsIsNamed) {
    GatewayProcess gateway;
    const auto pipe = gateway.folder() / "access";
    put_a_pipe(pipe);

    EXPECT_THAT(gateway.run_serve(gateway.folder() / "other", {"--access-log", pipe.string()}),
                Exits(73, pipe.string()));
}

}  // namespace
}  // namespace fencegate::testing
