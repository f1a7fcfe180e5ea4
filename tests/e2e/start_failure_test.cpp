// Starts that must fail: with the documented exit code and a message that names what is wrong.
#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sys/stat.h>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

CommandResult serve(const GatewayProcess& gateway, const fs::path& data_dir,
                    const std::string& listen = "127.0.0.1:0") {
    return gateway.run_cli({"serve", "--data-dir", data_dir.string(), "--listen", listen,
                            "--admin-listen", "127.0.0.1:0"});
}

void expect_refused(const CommandResult& result, int code, const std::string& named) {
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_NE(result.err.find(named), std::string::npos) << result.err;
}

void overwrite(const fs::path& file, std::streamoff at, std::string_view bytes) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(at);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(stream.flush());
}

TEST(StartFailure, ASecondGatewayOnOneFolderIsRefusedAndTheFirstUndisturbed) {
    GatewayProcess gateway;
    auto client = gateway.client();
    create_payment(client, "pay_42", 5'000);
    const auto grant = acquire(client, "pay_42");

    expect_refused(serve(gateway, gateway.data_dir()), 75, gateway.data_dir().string());

    const auto refunded =
        refund(client, "pay_42", {.token = grant.header("X-Fence-Token"), .key = "r"});
    EXPECT_EQ(refunded.status, 201);
    EXPECT_EQ(gateway.client().request("GET", "/v1/locks/a").status, 200);
    EXPECT_EQ(gateway.stop(), 0);
}

TEST(StartFailure, ATakenAddressIsNamed) {
    GatewayProcess gateway;
    const auto taken = "127.0.0.1:" + std::to_string(gateway.listen().port);

    expect_refused(serve(gateway, gateway.folder() / "other", taken), 69, taken);
}

TEST(StartFailure, AFolderThatCannotBeMadeIsNamed) {
    GatewayProcess gateway;
    const auto below_a_file = gateway.data_dir() / "api-key" / "data";

    expect_refused(serve(gateway, below_a_file), 73, below_a_file.string());
}

// One file of a stopped gateway, spoilt in one way.
struct Damage {
    const char* name;
    const char* file;
    int exit_code;
    void (*spoil)(const fs::path& file);

    friend void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }
};

// At which whoever opens it waits until somebody writes, and nobody does.
void put_a_pipe(const fs::path& file) {
    fs::remove(file);
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
}

class DamagedFolder : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedFolder, IsRefusedByTheNameOfTheFile) {
    GatewayProcess gateway;
    auto client = gateway.client();
    create_payment(client, "pay_42", 5'000);
    client.close();
    gateway.stop();
    const auto file = gateway.data_dir() / GetParam().file;
    GetParam().spoil(file);

    expect_refused(serve(gateway, gateway.data_dir()), GetParam().exit_code, file.string());
}

constexpr std::string_view kGarbage =
    "no page of any store begins like this, and no header of one holds it either: it is prose ...";

INSTANTIATE_TEST_SUITE_P(
    StartFailure, DamagedFolder,
    ::testing::Values(Damage{"KeyIsNotPem", "server.key", 66,
                             [](const fs::path& file) { std::ofstream(file) << "not a key\n"; }},
                      Damage{"KeyOfAnotherCertificate", "server.key", 66,
                             [](const fs::path& file) {
                                 fs::copy_file(file.parent_path() / "ca.key", file,
                                               fs::copy_options::overwrite_existing);
                             }},
                      Damage{"KeyIsMissing", "server.key", 66,
                             [](const fs::path& file) { fs::remove(file); }},
                      Damage{"KeyIsAFolder", "server.key", 66,
                             [](const fs::path& file) {
                                 fs::remove(file);
                                 fs::create_directory(file);
                             }},
                      Damage{"KeyIsAPipe", "server.key", 66, put_a_pipe},
                      Damage{"CertificateIsAPipe", "server.pem", 66, put_a_pipe},
                      Damage{"CaIsAPipe", "ca.pem", 66, put_a_pipe},
                      Damage{"KeysAreAPipe", "keys.toml", 66, put_a_pipe},
                      Damage{"StoreIsAPipe", "store.db", 65, put_a_pipe},
                      Damage{"LogIsAPipe", "store.db-wal", 65, put_a_pipe},
                      Damage{"LockIsAPipe", "store.lock", 73, put_a_pipe},
                      Damage{"StoreHeaderIsGarbage", "store.db", 65,
                             [](const fs::path& file) { overwrite(file, 0, kGarbage); }},
                      Damage{"StoreSchemaIsGarbage", "store.db", 65,
                             [](const fs::path& file) { overwrite(file, 100, kGarbage); }},
                      Damage{"StoreIsCutShort", "store.db", 65,
                             [](const fs::path& file) { fs::resize_file(file, 4'096 + 100); }},
                      Damage{"StoreIsText", "store.db", 65,
                             [](const fs::path& file) { std::ofstream(file) << "dear diary\n"; }}),
    [](const auto& row) { return row.param.name; });

// SQLite opens the journal of a store that is there.
TEST(StartFailure, APipeForAJournalHangsNobody) {
    GatewayProcess gateway;
    gateway.stop();
    put_a_pipe(gateway.data_dir() / "store.db-journal");

    EXPECT_NE(serve(gateway, gateway.data_dir()).exit_code, 0);
    EXPECT_NE(gateway.run_cli({"restore", "--data-dir", gateway.data_dir().string()}).exit_code, 0);
}

TEST(StartFailure, APipeForTheAccessLogThatNobodyReadsIsNamed) {
    GatewayProcess gateway;
    const auto pipe = gateway.folder() / "access";
    put_a_pipe(pipe);

    const auto result = gateway.run_cli(
        {"serve", "--data-dir", (gateway.folder() / "other").string(), "--listen", "127.0.0.1:0",
         "--admin-listen", "127.0.0.1:0", "--access-log", pipe.string()});
    expect_refused(result, 73, pipe.string());
}

}  // namespace
}  // namespace fencegate::testing
