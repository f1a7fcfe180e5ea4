#include "cli/commands/options.hpp"

#include "base/start_failure.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace fencegate::cli {
namespace {

std::expected<Command, ExitCode> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "fencegate");
    return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

template <class Chosen>
Chosen parse_as(std::vector<const char*> arguments) {
    const auto command = parse(std::move(arguments));
    EXPECT_TRUE(command && std::holds_alternative<Chosen>(*command));
    return command ? std::get<Chosen>(*command) : Chosen{};
}

TEST(OptionsTest, ServeWithoutOptionsOverridesNothing) {
    const auto serve = parse_as<ServeCommand>({"serve"});

    EXPECT_FALSE(serve.config_file || serve.data_dir || serve.listen || serve.admin_listen ||
                 serve.ready_file || serve.access_log || serve.log_format);
}

TEST(OptionsTest, ServeTakesEveryDocumentedOption) {
    const auto serve =
        parse_as<ServeCommand>({"serve", "--config", "c.toml", "--data-dir", "d", "--listen",
                                "0.0.0.0:0", "--admin-listen=[::1]:9443", "--ready-file", "r",
                                "--access-log", "-", "--log-format", "json"});

    EXPECT_EQ(serve.config_file, "c.toml");
    EXPECT_EQ(serve.data_dir, "d");
    EXPECT_EQ(serve.listen, (proxy::Endpoint{"0.0.0.0", 0}));
    EXPECT_EQ(serve.admin_listen, (proxy::Endpoint{"::1", 9443}));
    EXPECT_EQ(serve.ready_file, "r");
    EXPECT_EQ(serve.access_log, "-");
    EXPECT_EQ(serve.log_format, LogFormat::Json);
}

TEST(OptionsTest, KeyAddTakesRepeatedScopes) {
    const auto add = parse_as<KeyAddCommand>(
        {"key", "add", "--principal", "p", "--scope", "locks:read", "--scope", "admin"});

    EXPECT_EQ(add.principal.name, "p");
    EXPECT_EQ(proxy::to_texts(add.principal.scopes),
              (std::vector<std::string>{"locks:read", "admin"}));
    EXPECT_EQ(add.data_dir, proxy::Config().data_dir);
}

TEST(OptionsTest, KeyAddWithoutScopeMeansEveryScope) {
    const auto add = parse_as<KeyAddCommand>({"key", "add", "--principal", "p"});

    EXPECT_EQ(add.principal.scopes, proxy::ScopeSet::all());
}

TEST(OptionsTest, RestoreTakesABackupAndAnEpochOrNeither) {
    const auto plain = parse_as<RestoreCommand>({"restore"}).options;
    const auto full = parse_as<RestoreCommand>({"restore", "--data-dir", "d", "--from", "b.db",
                                                "--epoch-above", "7", "--reseal"})
                          .options;

    EXPECT_EQ(plain.data_dir, proxy::Config().data_dir);
    EXPECT_FALSE(plain.from);
    EXPECT_EQ(plain.epoch_above, 0);
    EXPECT_FALSE(plain.reseals);
    EXPECT_EQ(full.data_dir, "d");
    EXPECT_EQ(full.from, "b.db");
    EXPECT_EQ(full.epoch_above, 7);
    EXPECT_TRUE(full.reseals);
}

TEST(OptionsTest, BackupAsksTheAdminListenerOfTheDataFolder) {
    const auto plain = parse_as<BackupCommand>({"backup"}).connection;
    const auto full =
        parse_as<BackupCommand>({"backup", "--data-dir", "d", "--admin", "https://localhost:1"})
            .connection;

    EXPECT_EQ(plain.admin_url, kDefaultAdminUrl);
    EXPECT_FALSE(plain.data_dir);
    EXPECT_EQ(full.data_dir, "d");
    EXPECT_EQ(full.admin_url, "https://localhost:1");
}

TEST(OptionsTest, VerifyLooksAtAFileOrAsksTheAdminListener) {
    const auto plain = parse_as<VerifyCommand>({"verify", "--data-dir", "d"});
    const auto file = parse_as<VerifyCommand>({"verify", "--file", "b.db", "--json"});
    const auto head = "0:" + std::string(64, 'a');
    const auto online = parse_as<VerifyCommand>(
        {"verify", "--online", "--admin", "https://gate:1", "--expect-head", head.c_str()});

    EXPECT_EQ(plain.file, "d/store.db");
    EXPECT_FALSE(plain.online);
    EXPECT_EQ(file.file, "b.db");
    EXPECT_TRUE(file.is_json);
    EXPECT_EQ(online.online->admin_url, "https://gate:1");
    EXPECT_EQ(online.expected_head->seal.back(), 0xaa);
}

TEST(OptionsTest, OtherCommandsAreTold) {
    EXPECT_EQ(parse_as<KeyListCommand>({"key", "list", "--data-dir", "d"}).data_dir, "d");
    EXPECT_EQ(parse_as<KeyRevokeCommand>({"key", "revoke", "00000000002a"}).id, proxy::KeyId{42});
    EXPECT_EQ(parse_as<ConfigCheckCommand>({"config", "check", "c.toml"}).file, "c.toml");
    (void)parse_as<VersionCommand>({"version"});
}

TEST(OptionsTest, TopTakesWhereAndWhat) {
    const auto bare = parse_as<TopCommand>({"top"});
    const auto top =
        parse_as<TopCommand>({"top", "--url", "https://gate:1", "--data-dir", "d", "--ca", "c",
                              "--key-file", "k", "--prefix", "jobs/", "--once"});

    EXPECT_EQ(bare.connection.url, kDefaultUrl);
    EXPECT_FALSE(bare.is_once);
    EXPECT_EQ(top.connection.url, "https://gate:1");
    EXPECT_EQ(top.connection.data_dir, "d");
    EXPECT_EQ(top.connection.ca_file, "c");
    EXPECT_EQ(top.connection.key_file, "k");
    EXPECT_EQ(top.prefix, "jobs/");
    EXPECT_TRUE(top.is_once);
}

TEST(OptionsTest, WrongLinesAreUsageErrors) {
    for (const auto& line : std::vector<std::vector<const char*>>{
             {},
             {"sreve"},
             {"serve", "--lisen", "127.0.0.1:1"},
             {"serve", "--listen", "localhost:1"},
             {"serve", "extra"},
             {"serve", "--data-dir", ""},
             {"serve", "--log-format", "xml"},
             {"top", "--url", "http://127.0.0.1:8443"},
             {"top", "--prefix", "a b"},
             {"top", "--prefix", "/a"},
             {"top", "--key-file", ""},
             {"key"},
             {"key", "add"},
             {"key", "add", "--principal", "a b"},
             {"key", "add", "--principal", "p", "--scope", "root"},
             {"key", "revoke"},
             {"key", "revoke", "xyz"},
             {"restore", "--epoch-above", "-1"},
             {"restore", "--epoch-above", "1023"},
             {"restore", "--from", ""},
             {"config", "check"}}) {
        const auto command = parse(line);
        ASSERT_FALSE(command) << (line.empty() ? "" : line.back());
        EXPECT_EQ(command.error(), ExitCode::Usage);
    }
}

TEST(OptionsTest, HelpIsNoError) {
    const auto command = parse({"serve", "--help"});

    ASSERT_FALSE(command);
    EXPECT_EQ(command.error(), ExitCode::Ok);
}

TEST(ExitCodeTest, EveryStartFailureHasItsSysexitsNumber) {
    const auto status = [](StartFailure failure) {
        return to_status(exit_code_of(fail_start(failure, "").error()));
    };
    EXPECT_EQ(status(StartFailure::BadData), 65);
    EXPECT_EQ(status(StartFailure::CannotRead), 66);
    EXPECT_EQ(status(StartFailure::Unavailable), 69);
    EXPECT_EQ(status(StartFailure::CannotCreate), 73);
    EXPECT_EQ(status(StartFailure::InUse), 75);
    EXPECT_EQ(status(StartFailure::NotPermitted), 77);
    EXPECT_EQ(status(StartFailure::BadConfig), 78);
    EXPECT_EQ(to_status(exit_code_of(Error{})), 70);
}

}  // namespace
}  // namespace fencegate::cli
