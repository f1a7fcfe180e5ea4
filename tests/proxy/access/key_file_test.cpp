#include "proxy/access/key_file.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace fencegate::proxy {
namespace {

using testing::SeededRandom;

constexpr WallTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};

class KeyFileTest : public ::testing::Test {
protected:
    Result<std::string> add(const std::string& principal, ScopeSet scopes = ScopeSet::all()) {
        return add_key(folder_.path(), {principal, scopes}, random_, kNow);
    }

    Result<Credentials> load() const { return Credentials::load(keys_file_in(folder_.path())); }

    std::string content(const std::string& name) const {
        return read_file(folder_ / name, 1'000'000).value_or("");
    }

    std::filesystem::perms mode(const std::string& name) const {
        return std::filesystem::status(folder_ / name).permissions();
    }

    testing::TempDir folder_;
    SeededRandom random_;
};

TEST_F(KeyFileTest, AddedKeyAuthenticatesWithItsScopes) {
    ScopeSet scopes;
    scopes.add(Scope::LocksRead);
    scopes.add(Scope::MetricsRead);

    const auto key = add("billing", scopes);

    ASSERT_TRUE(key);
    const auto credentials = load();
    ASSERT_TRUE(credentials) << credentials.error().detail;
    const auto* principal = credentials->authenticate(*key);
    ASSERT_NE(principal, nullptr);
    EXPECT_EQ(principal->name, "billing");
    EXPECT_EQ(principal->scopes, scopes);
}

TEST_F(KeyFileTest, AddingKeepsTheKeysThatAreThere) {
    const auto first = add("first");
    const auto second = add("second");

    const auto credentials = load();

    ASSERT_TRUE(credentials);
    EXPECT_NE(credentials->authenticate(*first), nullptr);
    EXPECT_NE(credentials->authenticate(*second), nullptr);
}

TEST_F(KeyFileTest, FileIsSecretAndHoldsNoKeyText) {
    const auto key = add("billing");

    ASSERT_TRUE(key);
    EXPECT_EQ(mode("keys.toml"), std::filesystem::perms(0600));
    EXPECT_EQ(content("keys.toml").find(key->substr(17)), std::string::npos);
}

TEST_F(KeyFileTest, IdThatIsTakenIsDrawnAgain) {
    const auto first = add("first");
    random_ = SeededRandom();  // draws the same id first

    const auto second = add("second");

    ASSERT_TRUE(second);
    EXPECT_NE(first->substr(0, 16), second->substr(0, 16));
    EXPECT_TRUE(load());
}

TEST_F(KeyFileTest, RevokedKeyIsNobodyAndTheOthersStay) {
    const auto first = add("first");
    const auto second = add("second");

    ASSERT_TRUE(revoke_key(folder_.path(), *parse_key_id(first->substr(4, 12))));

    const auto credentials = load();
    ASSERT_TRUE(credentials);
    EXPECT_EQ(credentials->authenticate(*first), nullptr);
    EXPECT_NE(credentials->authenticate(*second), nullptr);
}

TEST_F(KeyFileTest, RevokingAnUnknownKeySaysSoAndChangesNothing) {
    ASSERT_TRUE(add("first"));
    const auto before = content("keys.toml");

    const auto revoked = revoke_key(folder_.path(), KeyId{7});

    ASSERT_FALSE(revoked);
    EXPECT_NE(revoked.error().detail.find("there is no key 000000000007"), std::string::npos);
    EXPECT_EQ(content("keys.toml"), before);
}

TEST_F(KeyFileTest, ListIsInTheOrderOfMaking) {
    random_ = SeededRandom(200);
    ASSERT_TRUE(add("zoe"));
    random_ = SeededRandom(0);  // so that the later id is the smaller one
    ASSERT_TRUE(add("adam"));

    const auto records = list_keys(folder_.path());

    ASSERT_TRUE(records);
    ASSERT_EQ(records->size(), 2U);
    EXPECT_EQ((*records)[0].principal.name, "zoe");
    EXPECT_EQ((*records)[1].principal.name, "adam");
    EXPECT_LT((*records)[1].id, (*records)[0].id);
    EXPECT_EQ((*records)[0].created_at, "2026-11-23T00:00:00.000Z");
}

TEST_F(KeyFileTest, KeyWithoutAProperPrincipalOrScopeIsRefused) {
    EXPECT_FALSE(add("a\"\nscopes = [\"*\"]"));
    EXPECT_FALSE(add(""));
    EXPECT_FALSE(add("a", ScopeSet()));
    EXPECT_EQ(content("keys.toml"), "");
}

TEST_F(KeyFileTest, ConcurrentAddsLoseNoKey) {
    const auto add_some = [this](std::uint64_t seed) {
        SeededRandom random(seed);
        for (int at = 0; at < 5; ++at) {
            EXPECT_TRUE(add_key(folder_.path(), {"p", ScopeSet::all()}, random, kNow));
        }
    };

    std::jthread other(add_some, std::uint64_t{1});
    add_some(std::uint64_t{0});
    other.join();

    EXPECT_EQ(load().value_or(Credentials({})).size(), 10U);
}

TEST_F(KeyFileTest, FirstStartMakesAKeyWithEveryScope) {
    const auto key = ensure_first_key(folder_.path(), random_, kNow);

    ASSERT_TRUE(key);
    ASSERT_TRUE(*key);
    EXPECT_EQ(content("api-key"), **key + "\n");
    EXPECT_EQ(mode("api-key"), std::filesystem::perms(0600));
    const auto credentials = load();
    ASSERT_TRUE(credentials);
    const auto* principal = credentials->authenticate(**key);
    ASSERT_NE(principal, nullptr);
    EXPECT_EQ(principal->name, "default");
    EXPECT_EQ(principal->scopes, ScopeSet::all());
}

TEST_F(KeyFileTest, SecondStartMakesNoKey) {
    ASSERT_TRUE(ensure_first_key(folder_.path(), random_, kNow));
    const auto before = content("keys.toml");

    const auto key = ensure_first_key(folder_.path(), random_, kNow);

    ASSERT_TRUE(key);
    EXPECT_FALSE(*key);
    EXPECT_EQ(content("keys.toml"), before);
}

TEST_F(KeyFileTest, FirstStartInterruptedBetweenTheTwoFilesIsRepeated) {
    ASSERT_TRUE(ensure_first_key(folder_.path(), random_, kNow));
    std::filesystem::remove(folder_ / "keys.toml");

    const auto key = ensure_first_key(folder_.path(), random_, kNow);

    ASSERT_TRUE(key);
    ASSERT_TRUE(*key);
    EXPECT_EQ(content("api-key"), **key + "\n");
}

TEST_F(KeyFileTest, RevokingTheLastKeyDoesNotBringBackAFirstOne) {
    const auto key = ensure_first_key(folder_.path(), random_, kNow);
    ASSERT_TRUE(revoke_key(folder_.path(), *parse_key_id((*key)->substr(4, 12))));

    EXPECT_FALSE(ensure_first_key(folder_.path(), random_, kNow).value());
}

TEST_F(KeyFileTest, MissingFileIsCannotRead) {
    const auto credentials = load();

    ASSERT_FALSE(credentials);
    EXPECT_EQ(start_failure_of(credentials.error()), StartFailure::CannotRead);
}

struct Malformed {
    const char* name;
    const char* line;      // replaces the entry of the same key, or is appended
    const char* position;  // in the error
};

class MalformedKeyFileTest : public KeyFileTest, public ::testing::WithParamInterface<Malformed> {};

TEST_P(MalformedKeyFileTest, IsRefusedWithItsPosition) {
    const std::string line = GetParam().line;
    const auto key = line.substr(0, line.find(' '));
    std::string file = "[[key]]\n";
    for (const std::string entry :
         {"id = \"000000000001\"", "principal = \"p\"", "scopes = [\"*\"]",
          "sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"",
          "created_at = \"2026-11-23T00:00:00.000Z\""}) {
        file += (entry.starts_with(key + " ") ? line : entry) + "\n";
    }
    if (file.find(line) == std::string::npos) file += line + "\n";
    ASSERT_TRUE(write_file_atomically(keys_file_in(folder_.path()), file, FileMode::Secret));

    const auto credentials = load();

    ASSERT_EQ(credentials.has_value(), std::string_view(GetParam().position) == "none");
    if (credentials) return;
    EXPECT_EQ(start_failure_of(credentials.error()), StartFailure::BadConfig);
    EXPECT_NE(credentials.error().detail.find(GetParam().position), std::string::npos)
        << credentials.error().detail;
}

INSTANTIATE_TEST_SUITE_P(
    KeyFileTest, MalformedKeyFileTest,
    ::testing::Values(
        Malformed{"NothingWrong", "principal = \"q\"", "none"},
        Malformed{"Id", "id = \"1\"", "keys.toml:2:6: `id` must be 12 hex digits"},
        Malformed{"IdType", "id = 1", "keys.toml:2:6: `id` must be text"},
        Malformed{"Principal", "principal = \"a b\"", "keys.toml:3:13: `principal` must be"},
        Malformed{"Scope", "scopes = [\"root\"]", "keys.toml:4:10: there is no scope \"root\""},
        Malformed{"NoScope", "scopes = []", "keys.toml:4:10: there is no scope"},
        Malformed{"ScopesType", "scopes = \"*\"", "keys.toml:4:10: `scopes` must be a list"},
        Malformed{"Sha256", "sha256 = \"00\"", "keys.toml:5:10: `sha256` must be 64 hex digits"},
        Malformed{"CreatedAt", "created_at = \"yester\\\"day\"", "keys.toml:6:14: `created_at`"},
        Malformed{"Unknown", "expires = 1", "keys.toml:7:1: unknown key `expires`"},
        Malformed{"Incomplete", "id = \"000000000001\" #\n[[key]]",
                  "a [[key]] needs id, principal, scopes"},
        Malformed{"OtherTable", "[tokens]", "keys.toml:7:2: unknown key `tokens`"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(KeyFileTest, OneIdTwiceIsRefused) {
    ASSERT_TRUE(add("p"));
    const auto once = content("keys.toml");
    const auto twice = once + once.substr(once.find("[[key]]"));
    ASSERT_TRUE(write_file_atomically(keys_file_in(folder_.path()), twice, FileMode::Secret));

    const auto credentials = load();

    ASSERT_FALSE(credentials);
    EXPECT_NE(credentials.error().detail.find("is there twice"), std::string::npos);
}

}  // namespace
}  // namespace fencegate::proxy
