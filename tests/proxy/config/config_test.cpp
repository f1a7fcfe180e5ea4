#include "proxy/config/config.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace fencegate::proxy {
namespace {

using namespace std::chrono_literals;

class ConfigTest : public ::testing::Test {
protected:
    [[nodiscard]] Result<Config> load(std::string_view content) const {
        const auto written = write_file_atomically(path_, content, FileMode::Public);
        EXPECT_TRUE(written);
        return load_config(path_);
    }

    // The refusal without the folder: "fencegate.toml:2:1: unknown key ...".
    [[nodiscard]] std::string refusal(std::string_view content) const {
        const auto config = load(content);
        if (config) return "accepted";
        EXPECT_EQ(config.error().code, ErrorCode::InvalidArgument);
        EXPECT_EQ(start_failure_of(config.error()), StartFailure::BadConfig);
        return config.error().detail.substr(path_.parent_path().string().size() + 1);
    }

    testing::TempDir folder_;
    std::filesystem::path path_ = folder_ / "fencegate.toml";
};

TEST_F(ConfigTest, EmptyFileMeansTheDefaults) {
    const auto config = load("");

    ASSERT_TRUE(config);
    EXPECT_EQ(to_string(config->listen), "127.0.0.1:8443");
    EXPECT_EQ(to_string(config->admin_listen), "127.0.0.1:9443");
    EXPECT_EQ(config->body_bytes_max, 65'536U);
    EXPECT_EQ(config->idle_timeout, 75s);
    EXPECT_EQ(config->access_log, "-");
    EXPECT_EQ(config->log_format, LogFormat::Text);
    ASSERT_EQ(config->classes.size(), 1U);
    EXPECT_EQ(config->classes[0].name, "payments");
    EXPECT_FALSE(config->classes[0].accepts_late_writes);
}

TEST_F(ConfigTest, DefaultsAreAcceptedByTheirOwnChecks) { EXPECT_TRUE(check_config(Config{})); }

TEST_F(ConfigTest, EveryKindOfSettingIsRead) {
    const auto config = load(R"(
        listen = "[::]:443"
        data_dir = "/var/lib/fencegate"
        backup_dir = "/mnt/backups"
        access_log = "off"
        log_format = "json"
        connections_max = 7
        body_timeout = "250ms"
        wait_max = "5m"
        [metrics]
        anonymous = false
        [class.payments]
        ttl_max = "2h"
        [class.jobs]
        ttl_default = "1m"
        late_writes = "accept"
    )");

    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->listen, (Endpoint{"::", 443}));
    EXPECT_EQ(config->data_dir, "/var/lib/fencegate");
    EXPECT_EQ(backup_folder(*config), "/mnt/backups");
    EXPECT_EQ(backup_folder(Config{.data_dir = "d"}), "d/backups");
    EXPECT_EQ(config->access_log, "off");
    EXPECT_EQ(config->log_format, LogFormat::Json);
    EXPECT_EQ(config->connections_max, 7U);
    EXPECT_EQ(config->body_timeout, 250ms);
    EXPECT_EQ(config->wait_max, 5min);
    EXPECT_EQ(config->metrics_anonymous, false);
    ASSERT_EQ(config->classes.size(), 2U);
    EXPECT_EQ(config->classes[0].name, "payments");
    EXPECT_EQ(config->classes[0].ttl_max, 2h);
    EXPECT_EQ(config->classes[1].name, "jobs");
    EXPECT_EQ(config->classes[1].ttl_default, 1min);
    EXPECT_TRUE(config->classes[1].accepts_late_writes);
}

struct Refusal {
    const char* name;
    const char* content;
    const char* begins_with;
};

class ConfigRefusalTest : public ConfigTest, public ::testing::WithParamInterface<Refusal> {};

TEST_P(ConfigRefusalTest, SaysWhereAndWhat) {
    const auto text = refusal(GetParam().content);

    EXPECT_TRUE(text.starts_with(GetParam().begins_with)) << text;
}

INSTANTIATE_TEST_SUITE_P(
    ConfigTest, ConfigRefusalTest,
    ::testing::Values(
        Refusal{"UnknownKey", "listen = \"127.0.0.1:1\"\n  body_byte_max = 1\n",
                "fencegate.toml:2:3: unknown key `body_byte_max`; "},
        Refusal{"UnknownTable", "\n[limits]\nbody_bytes_max = 1\n",
                "fencegate.toml:2:2: unknown key `limits`; "},
        Refusal{"UnknownKeyOfMetrics", "[metrics]\nanonymus = true\n",
                "fencegate.toml:2:1: unknown key `anonymus`; "},
        Refusal{"UnknownKeyOfClass", "[class.a]\nttl = \"1s\"\n",
                "fencegate.toml:2:1: unknown key `ttl`; "},
        Refusal{"Syntax", "listen = \n", "fencegate.toml:1:10: "},
        Refusal{"SameKeyTwice", "io_threads = 1\nio_threads = 2\n", "fencegate.toml:2:"},
        Refusal{
            "TextForNumber", "connections_max = \"7\"\n",
            "fencegate.toml:1:19: `connections_max` must be a whole number from 1 to 1000000; "},
        Refusal{"FloatForNumber", "connections_max = 7.0\n", "fencegate.toml:1:19: "},
        Refusal{"NumberBelowRange", "connections_max = 0\n", "fencegate.toml:1:19: "},
        Refusal{"NegativeNumber", "io_threads = -1\n", "fencegate.toml:1:14: "},
        Refusal{"NumberAboveRange", "body_bytes_max = 99999999\n", "fencegate.toml:1:18: "},
        Refusal{
            "NumberForDuration", "body_timeout = 30\n",
            "fencegate.toml:1:16: `body_timeout` must be a duration from \"100ms\" to \"1h\"; "},
        Refusal{"DurationWithoutUnit", "body_timeout = \"30\"\n", "fencegate.toml:1:16: "},
        Refusal{"DurationOfUnknownUnit", "body_timeout = \"1d\"\n", "fencegate.toml:1:16: "},
        Refusal{"NegativeDuration", "body_timeout = \"-1s\"\n", "fencegate.toml:1:16: "},
        Refusal{"MinusZeroDuration", "wait_max = \"-0s\"\n", "fencegate.toml:1:12: "},
        // 2^57 hours are 0 ms modulo 2^64, which would be in range.
        Refusal{"DurationThatOverflows", "wait_max = \"144115188075855872h\"\n",
                "fencegate.toml:1:12: "},
        Refusal{"DurationAboveRange", "body_timeout = \"61m\"\n", "fencegate.toml:1:16: "},
        Refusal{"NumberForText", "data_dir = 1\n",
                "fencegate.toml:1:12: `data_dir` must be text; "},
        Refusal{"EmptyPath", "data_dir = \"\"\n", "fencegate.toml:1:12: "},
        Refusal{"TextForBoolean", "[metrics]\nanonymous = \"yes\"\n",
                "fencegate.toml:2:13: `anonymous` must be true or false"},
        Refusal{"Endpoint", "listen = \"localhost:8443\"\n",
                "fencegate.toml:1:10: \"localhost:8443\" is not a numeric address with a port; "},
        Refusal{"MetricsNoTable", "metrics = true\n", "fencegate.toml:1:11: `metrics` must be "},
        Refusal{"ClassNoTable", "class = 1\n", "fencegate.toml:1:9: `class` must be tables"},
        Refusal{"ClassNameNoSegment", "[class.\"a/b\"]\nttl_min = \"1s\"\n",
                "fencegate.toml:1:1: a lock class is "},
        Refusal{"LateWrites", "[class.a]\nlate_writes = true\n", "fencegate.toml:2:15: "},
        Refusal{"LogFormat", "log_format = \"xml\"\n",
                "fencegate.toml:1:14: `log_format` must be "},
        Refusal{"LateWritesWord", "[class.a]\nlate_writes = \"maybe\"\n", "fencegate.toml:2:15: "},
        Refusal{
            "DefaultAboveMax", "[class.a]\nttl_max = \"10s\"\n",
            "fencegate.toml:1:1: class \"a\" has ttl_min 100ms, ttl_default 30s, ttl_max 10s; "},
        Refusal{"DefaultBelowMin", "[class.a]\nttl_min = \"31s\"\n", "fencegate.toml:1:1: class"},
        Refusal{"BatchAboveQueue", "command_queue_max = 100\n",
                "fencegate.toml: batch_commands_max (256) "},
        Refusal{"WaitersPerLockAboveAll", "waiters_max = 5\n",
                "fencegate.toml: waiters_per_lock_max (10000) "},
        Refusal{"OneAddressForBoth", "admin_listen = \"127.0.0.1:8443\"\n",
                "fencegate.toml: listen (127.0.0.1:8443) and admin_listen "},
        Refusal{"OnePortForWildcardAndLoopback", "listen = \"0.0.0.0:9443\"\n",
                "fencegate.toml: listen (0.0.0.0:9443) and admin_listen "}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(ConfigTest, TwoFreePortsOnOneAddressAreFine) {
    EXPECT_TRUE(load("listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n"));
}

TEST_F(ConfigTest, TooManyClassesAreRefused) {
    std::string content;
    for (int at = 0; at < 256; ++at) content += "[class.c" + std::to_string(at) + "]\n";

    EXPECT_NE(refusal(content).find("more than 256 lock classes"), std::string::npos);
}

TEST_F(ConfigTest, MissingFileIsCannotReadNotBadConfig) {
    const auto config = load_config(folder_ / "absent.toml");

    ASSERT_FALSE(config);
    EXPECT_EQ(start_failure_of(config.error()), StartFailure::CannotRead);
}

TEST_F(ConfigTest, MetricsAreAnonymousOnLoopbackOnlyUnlessSaid) {
    EXPECT_TRUE(metrics_are_anonymous(Config{}));
    EXPECT_FALSE(metrics_are_anonymous(Config{.admin_listen = {"0.0.0.0", 9443}}));
    EXPECT_FALSE(metrics_are_anonymous(Config{.metrics_anonymous = false}));
    EXPECT_TRUE(metrics_are_anonymous(
        Config{.admin_listen = {"0.0.0.0", 9443}, .metrics_anonymous = true}));
}

TEST_F(ConfigTest, ListedKeysAreTheOnesThatAreKnown) {
    for (auto key : config_keys()) {
        if (const auto name = key.find("NAME"); name != std::string::npos)
            key.replace(name, 4, "a");

        const auto text = refusal(key + " = []\n");

        EXPECT_EQ(text.find("unknown key"), std::string::npos) << text;
        EXPECT_NE(text, "accepted") << key;
    }
    EXPECT_FALSE(config_keys().empty());
}

}  // namespace
}  // namespace fencegate::proxy
