#include "tests/tidy/checks.hpp"

#include "tests/tidy/source_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace fencegate::tidy {
namespace {

std::string lines(std::size_t count) {
    std::string text;
    for (std::size_t line = 0; line < count; ++line) text += "    act();\n";
    return text;
}

struct Include {
    const char* name;
    const char* path;
    const char* line;
    bool is_allowed;
};

class IncludeRule : public testing::TestWithParam<Include> {};

TEST_P(IncludeRule, Decides) {
    const auto& [name, path, line, is_allowed] = GetParam();

    const auto findings = check_includes({path, std::string("#pragma once\n") + line + "\n"});

    EXPECT_EQ(findings.empty(), is_allowed);
    if (!is_allowed) {
        EXPECT_EQ(findings.front().line, 2U);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Tidy, IncludeRule,
    testing::Values(
        Include{"Downwards", "storage/a.cpp", "#include \"lockmgr/lease.hpp\"", true},
        Include{"SameFolder", "storage/sqlite/a.cpp", "#include \"storage/model/engine.hpp\"",
                true},
        Include{"Upwards", "lockmgr/a.cpp", "#include \"storage/model/engine.hpp\"", false},
        Include{"BaseKnowsNobody", "base/a.hpp", "#include \"lockmgr/lease.hpp\"", false},
        Include{"ProxyNotCli", "proxy/a.cpp", "#include \"cli/main.hpp\"", false},
        Include{"ProductNotTests", "proxy/a.cpp", "#include \"tests/support/x.hpp\"", false},
        Include{"TestsAnything", "tests/base/a.cpp", "#include \"cli/main.hpp\"", true},
        Include{"BenchAnything", "bench/a.cpp", "#include <openssl/ssl.h>", true},
        Include{"AsioInProxy", "proxy/a.cpp", "#include <boost/asio/ip/tcp.hpp>", true},
        Include{"AsioInStorage", "storage/a.cpp", "#include <boost/asio/ip/tcp.hpp>", false},
        Include{"BeastInStorage", "storage/a.cpp", "#include <boost/beast/http.hpp>", false},
        Include{"OpensslInStorage", "storage/a.cpp", "#include <openssl/sha.h>", false},
        Include{"OpensslInTheDigest", "base/digest.cpp", "#include <openssl/evp.h>", true},
        Include{"OpensslInBase", "base/file.cpp", "#include <openssl/evp.h>", false},
        Include{"PrometheusInLockmgr", "lockmgr/a.cpp", "#include <prometheus/gauge.h>", false},
        Include{"AsioInCli", "cli/client/a.cpp", "#include <boost/asio/ip/tcp.hpp>", false},
        Include{"CurlInItsRoom", "cli/client/a.cpp", "#include <curl/curl.h>", true},
        Include{"CurlInCommands", "cli/commands/a.cpp", "#include <curl/curl.h>", false},
        Include{"CurlInProxy", "proxy/tls/a.cpp", "#include <curl/curl.h>", false},
        Include{"SqliteInEngine", "storage/sqlite/a.cpp", "#include <sqlite3.h>", true},
        Include{"SqliteInStorage", "storage/a.cpp", "#include <sqlite3.h>", false},
        Include{"SqliteInCommands", "storage/commands/a.cpp", "#include <sqlite3.h>", false},
        Include{"SqliteInCli", "cli/a.cpp", "#include <sqlite3.h>", false},
        Include{"StandardInLockmgr", "lockmgr/a.cpp", "#include <vector>", true},
        Include{"PosixInLockmgr", "lockmgr/a.cpp", "#include <sys/stat.h>", false},
        Include{"BoostInBase", "base/a.hpp", "#include <boost/json.hpp>", false},
        Include{"PosixAtTheSeam", "base/random.cpp", "#include <sys/random.h>", true},
        Include{"OnlyAComment", "base/a.hpp", "// #include \"cli/main.hpp\"", true}),
    [](const auto& row) { return std::string(row.param.name); });

class BannedCall : public testing::TestWithParam<const char*> {};

TEST_P(BannedCall, IsFoundOutsideItsSeamOnly) {
    const std::string code = std::string("int f() {\n    return ") + GetParam() + ";\n}\n";

    EXPECT_EQ(check_banned_calls({"lockmgr/a.cpp", code}).size(), 1U);
    EXPECT_EQ(check_banned_calls({"tests/lockmgr/a_test.cpp", code}).size(), 1U);
    EXPECT_TRUE(check_banned_calls({"base/clock.cpp", code}).empty());
    EXPECT_TRUE(check_banned_calls({"bench/a.cpp", code}).empty());
    EXPECT_TRUE(check_banned_calls({"tests/support/deadline.hpp", code}).empty());
    EXPECT_TRUE(check_banned_calls({"lockmgr/a.cpp", "// " + std::string(GetParam())}).empty());
}

INSTANTIATE_TEST_SUITE_P(
    Tidy, BannedCall,
    testing::Values("std::chrono::system_clock::now()", "std::chrono::steady_clock::now()",
                    "high_resolution_clock::time_point{}", "::clock_gettime(0, nullptr)",
                    "std::time(nullptr)", "::time(NULL)", "time(0)", "gettimeofday(a, b)",
                    "std::rand()", "std::random_device{}()", "std::this_thread::sleep_for(x)",
                    "std::this_thread::sleep_until(x)", "usleep(1)", "nanosleep(a, b)",
                    "std::getenv(name)"));

TEST(Tidy, WordsThatOnlyLookBannedPass) {
    EXPECT_TRUE(check_banned_calls({"lockmgr/a.cpp",
                                    "grand(1); put_time(0x1); lifetime(0);\n"
                                    "say(\"sleep_for a while\");\n"})
                    .empty());
}

TEST(Tidy, OnlyTheLogAndTheCommandLineWriteToStderr) {
    for (const std::string line :
         {"std::fprintf(stderr, \"lost\");", "::write(STDERR_FILENO, text, size);",
          "std::cerr << 1;", "std::clog << 1;", "std::perror(\"open\");"}) {
        EXPECT_EQ(check_logging({"proxy/net/a.cpp", line}).size(), 1U) << line;
        EXPECT_EQ(check_logging({"storage/batch/a.cpp", line}).size(), 1U) << line;
        EXPECT_TRUE(check_logging({"base/log.cpp", line}).empty()) << line;
        EXPECT_TRUE(check_logging({"cli/main.cpp", line}).empty()) << line;
        EXPECT_TRUE(check_logging({"tests/support/a.cpp", line}).empty()) << line;
        EXPECT_TRUE(check_logging({"proxy/net/a.cpp", "// " + line}).empty()) << line;
    }
}

TEST(Tidy, AFileOfFourHundredLinesPassesAndOneMoreFails) {
    EXPECT_TRUE(check_file_length({"base/a.cpp", lines(400)}).empty());
    EXPECT_EQ(check_file_length({"base/a.cpp", lines(401)}).size(), 1U);
}

TEST(Tidy, AFunctionOfSeventyLinesPassesAndOneMoreFails) {
    const std::string head = "namespace a {\n\nint f(int x)\n    noexcept {\n";

    EXPECT_TRUE(check_function_length({"base/a.cpp", head + lines(68) + "}\n}\n"}).empty());
    const auto findings = check_function_length({"base/a.cpp", head + lines(69) + "}\n}\n"});

    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings.front().line, 4U);
}

TEST(Tidy, LongFunctionsAreFoundInEveryShape) {
    const auto body = lines(80) + "}\n";
    for (const std::string head :
         {"class A {\npublic:\n    void f() const {\n", "struct A {\n    A() : a_{1}, b_(2) {\n",
          "template <class T>\nauto f(T t) -> int {\n", "TEST(Suite, Claim) {\n",
          "struct A : B {\n    bool operator()(int a) const {\n"}) {
        EXPECT_EQ(check_function_length({"base/a.cpp", head + body + "};\n"}).size(), 1U) << head;
    }
}

TEST(Tidy, LongClassesAndTablesAreNotFunctions) {
    for (const std::string head : {"class A final : public B {\n", "enum class E : int {\n",
                                   "namespace a::b {\n", "constexpr std::array kTable{\n"}) {
        EXPECT_TRUE(check_function_length({"base/a.hpp", head + lines(90) + "};\n"}).empty())
            << head;
    }
}

TEST(Tidy, BracesInLiteralsAndCommentsDoNotCount) {
    const std::string code = "void f() {\n    say(\"}\");  // }\n    char c = '}';\n" + lines(70) +
                             "    raw(R\"(}})\");\n}\n";

    EXPECT_EQ(check_function_length({"base/a.cpp", code}).size(), 1U);
}

TEST(Tidy, HeadersSayWhatTheyOwnFirst) {
    EXPECT_TRUE(check_header_opening({"base/a.hpp", "#pragma once\n// Owns a.\n"}).empty());
    EXPECT_TRUE(check_header_opening({"base/a.cpp", "#include <vector>\n"}).empty());
    EXPECT_EQ(check_header_opening({"base/a.hpp", "#pragma once\n\nint a;\n"}).size(), 1U);
    EXPECT_EQ(check_header_opening({"base/a.hpp", "// Owns a.\n#pragma once\n"}).size(), 1U);
    EXPECT_EQ(check_header_opening({"base/a.hpp", ""}).size(), 1U);
}

TEST(Tidy, AToDoNamesItsIssue) {
    EXPECT_TRUE(check_todo({"base/a.cpp", "// TODO(#12): drop this.\n"}).empty());
    EXPECT_TRUE(check_todo({"base/a.cpp", "say(\"TODO\");\n"}).empty());
    EXPECT_EQ(check_todo({"base/a.cpp", "int a;  // TODO: drop this.\n"}).size(), 1U);
    EXPECT_EQ(check_todo({"base/a.cpp", "/* FIXME(me) */\n"}).size(), 1U);
    EXPECT_EQ(check_todo({"base/a.cpp", "// TODO(#)\n"}).size(), 1U);
}

TEST(Tidy, SqlIsNeverPutTogether) {
    const auto findings_in = [](const char* call) {
        return check_sql_building({"storage/sqlite/a.cpp", call}).size();
    };

    EXPECT_EQ(findings_in("sqlite3_prepare_v3(db, \"SELECT a + ?1\", -1, 0, &s, nullptr);"), 0U);
    EXPECT_EQ(findings_in("sqlite3_prepare_v3(db, sql.data(), size, 0, &s, nullptr);"), 0U);
    EXPECT_EQ(findings_in("sqlite3_prepare_v2(db, (\"SELECT \" + name).c_str(), -1, &s, 0);"), 1U);
    EXPECT_EQ(findings_in("sqlite3_prepare_v2(db, std::format(\"{}\", a).data(), 1, &s, 0);"), 1U);
    EXPECT_EQ(findings_in("sqlite3_prepare_v2(db, out.str().data(), -1, &s, 0);"), 1U);
}

TEST(Tidy, TheLockThatGuardsARowIsSpelledOnce) {
    const auto findings_in = [](const char* path, const char* code) {
        return check_guards({path, code}).size();
    };

    EXPECT_EQ(findings_in("storage/a.cpp", "auto lock = \"payments/\" + id;"), 1U);
    EXPECT_EQ(findings_in("proxy/a.cpp", "auto lock = \"elections/\" + name;"), 1U);
    EXPECT_EQ(findings_in("cli/a.cpp", "auto lock = \"runs/\" + job;"), 1U);
    EXPECT_EQ(findings_in("storage/a.cpp", "x(\"WHERE lock >= 'payments/'\");"), 1U);
    EXPECT_EQ(findings_in("storage/a.cpp", "// as in \"payments/pay_1\"\n"), 0U);
    EXPECT_EQ(findings_in("storage/a.cpp", "route(\"/v1/payments/{id}\");"), 0U);
    EXPECT_EQ(findings_in("lockmgr/guards.cpp", "x(\"payments/\");"), 0U);
    EXPECT_EQ(findings_in("tests/a.cpp", "x(\"payments/pay_1\");"), 0U);
}

TEST(Tidy, RulesOfEveryEngineKnowNone) {
    const auto findings_in = [](const char* path, const char* code) {
        return check_engines({path, code}).size();
    };

    EXPECT_EQ(findings_in("storage/verify/a.cpp", "#include <sqlite3.h>\n"), 1U);
    EXPECT_EQ(findings_in("storage/verify/a.hpp", "#include \"storage/sqlite/journal.hpp\"\n"), 1U);
    EXPECT_EQ(findings_in("storage/verify/a.cpp", "x(\"SELECT 1\");"), 1U);
    EXPECT_EQ(findings_in("storage/verify/a.cpp", "x(\n    \"a \"\n    \"DELETE FROM b\");"), 1U);
    EXPECT_EQ(findings_in("storage/verify/a.cpp", "#include \"storage/verify/rows.hpp\"\n"), 0U);
    EXPECT_EQ(findings_in("storage/verify/a.cpp", "// was a SELECT once\n"), 0U);
    EXPECT_EQ(findings_in("storage/verify/a.cpp", "auto UPDATE = x(\"updated\");"), 0U);
    EXPECT_EQ(findings_in("storage/sqlite/a.cpp", "#include <sqlite3.h>\nx(\"SELECT 1\");"), 0U);
}

TEST(Tidy, ATokenHasItsType) {
    const auto findings_in = [](const char* path, const char* code) {
        return check_tokens({path, code}).size();
    };

    EXPECT_EQ(findings_in("lockmgr/a.hpp", "std::int64_t token = 0;"), 1U);
    EXPECT_EQ(findings_in("storage/model/a.hpp", "std::int64_t token = 0;"), 1U);
    EXPECT_EQ(findings_in("storage/unit/a.hpp", "std::optional<std::int64_t> token_;"), 1U);
    EXPECT_EQ(findings_in("proxy/http/a.hpp", "void f(std::int64_t fencing_token, int b);"), 1U);
    EXPECT_EQ(findings_in("storage/model/a.hpp", "lockmgr::FencingToken token;"), 0U);
    EXPECT_EQ(findings_in("proxy/http/a.hpp", "int fence_token_count = 0;"), 0U);
    EXPECT_EQ(findings_in("storage/sqlite/a.hpp", "std::int64_t token = 0;"), 0U);
    EXPECT_EQ(findings_in("storage/verify/a.cpp", "std::int64_t token = 0;"), 0U);
    EXPECT_EQ(findings_in("tests/a.cpp", "std::int64_t token = 0;"), 0U);
}

TEST(Tidy, EveryErrorNameIsDocumented) {
    const SourceFile source{"base/result.cpp",
                            "case A: return \"lock_held\";\ncase B: return \"not_found\";\n"};

    EXPECT_TRUE(check_codes_documented(source, "| `lock_held` | `not_found` |").empty());
    const auto findings = check_codes_documented(source, "| `lock_held` | not_found |");

    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings.front().line, 2U);
    EXPECT_EQ(check_codes_documented({"base/result.cpp", ""}, "`lock_held`").size(), 1U);
}

TEST(Tidy, OneFileIsHeldToEveryRule) {
    const SourceFile bad{"lockmgr/a.hpp",
                         "#include <sqlite3.h>\n"
                         "void f() { rand(); sqlite3_prepare_v2(db, a + b, 1, &s, 0);  // TODO\n" +
                             lines(420) + "}\n"};

    EXPECT_EQ(check_file(bad).size(), 7U);
    EXPECT_TRUE(check_file({"lockmgr/a.hpp", "#pragma once\n// Owns a.\nint a();\n"}).empty());
}

TEST(Tidy, TakingApartKeepsLengthAndLines) {
    const std::string text =
        "int a = 1'000; // it's a \"comment\"\nauto s = \"// no\"; /* two\nlines */ char c = "
        "'\\'';\n"
        "auto r = R\"x(raw )\" // \n)x\"; int b;\n";

    const auto parts = take_apart(text);

    EXPECT_EQ(parts.code.size(), text.size());
    EXPECT_EQ(parts.comments.size(), text.size());
    EXPECT_NE(parts.code.find("1'000;"), std::string::npos);
    EXPECT_NE(parts.code.find("int b;"), std::string::npos);
    EXPECT_EQ(parts.code.find("no"), std::string::npos);
    EXPECT_EQ(parts.code.find("raw"), std::string::npos);
    EXPECT_NE(parts.comments.find("it's a \"comment\""), std::string::npos);
    EXPECT_NE(parts.comments.find("lines */"), std::string::npos);
    EXPECT_EQ(lines_of(parts.code).size(), lines_of(text).size());
}

}  // namespace
}  // namespace fencegate::tidy
