// A start that is refused leaves everything as it was, whatever it is refused for: the log with
// what was acknowledged, certificates, marks; and of a first start, nothing.
#include "tests/support/api_calls.hpp"
#include "tests/support/command_matcher.hpp"
#include "tests/support/folder_contents.hpp"
#include "tests/support/gateway_process.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sys/stat.h>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

void overwrite(const fs::path& file, std::streamoff at, std::string_view bytes) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(at);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(stream.flush());
}

using Arguments = std::vector<std::string>;

// One thing in the way of a start. `elsewhere` is a folder beside the data, `taken` an address.
struct Obstacle {
    const char* name;
    int exit_code;
    const char* file;  // which the refusal names; "" if it is none of the folder
    void (*put)(const fs::path& file);
    Arguments (*arguments)(const fs::path& elsewhere, const std::string& taken) = nullptr;

    friend void PrintTo(const Obstacle& obstacle, std::ostream* out) { *out << obstacle.name; }
};

void garble(const fs::path& file) { std::ofstream(file) << "[[[ neither PEM nor TOML\n"; }
void put_a_folder(const fs::path& file) {
    fs::remove_all(file);
    fs::create_directory(file);
}
void let_dangle(const fs::path& file) {
    fs::remove_all(file);
    fs::create_symlink("nowhere", file);
}
// At which whoever opens it waits until somebody writes, and nobody does.
void put_a_pipe(const fs::path& file) {
    fs::remove_all(file);
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
}
void put_the_key_of_the_ca(const fs::path& file) {
    fs::copy_file(file.parent_path() / "ca.key", file, fs::copy_options::overwrite_existing);
}
void remove(const fs::path& file) { fs::remove(file); }
void put_a_file(const fs::path& file) {
    fs::remove_all(file);
    std::ofstream(file) << "x";
}
void put_a_link(const fs::path& file) {
    fs::rename(file, file.parent_path() / "elsewhere.db");
    fs::create_symlink("elsewhere.db", file);
}
// Behind the header and the schema, which the survey and SQLite look at first.
void zero_the_pages(const fs::path& file) {
    const auto pages = fs::file_size(file) / 4'096;
    for (std::uintmax_t page = 2; page < pages; ++page)
        overwrite(file, static_cast<std::streamoff>(page * 4'096), std::string(4'096, '\0'));
}
template <std::streamoff At>
void put_prose(const fs::path& file) {
    overwrite(file, At,
              "no page of any store begins like this, and no header of one holds it "
              "either: it is prose ...");
}
void cut_short(const fs::path& file) { fs::resize_file(file, 4'096 + 100); }

template <const auto& Name>
Arguments taken_for(const fs::path&, const std::string& taken) {
    return {Name, taken};
}
constexpr char kListen[] = "--listen";
constexpr char kAdminListen[] = "--admin-listen";

// A first start meets these as well.
const Obstacle kBesideTheFolder[] = {
    {"ListenTaken", 69, "", nullptr, taken_for<kListen>},
    {"AdminTaken", 69, "", nullptr, taken_for<kAdminListen>},
    {"ListenNotOurs", 69, "", nullptr,
     [](const fs::path&, const std::string&) {
         return Arguments{"--listen", "192.0.2.1:0"};
     }},
    {"ReadyFileInNoFolder", 73, "", nullptr,
     [](const fs::path& elsewhere, const std::string&) {
         return Arguments{"--ready-file", elsewhere / "none" / "ready"};
     }},
    {"ReadyFileIsAFolder", 73, "", nullptr,
     [](const fs::path& elsewhere, const std::string&) {
         return Arguments{"--ready-file", elsewhere};
     }},
    {"AccessLogInNoFolder", 73, "", nullptr,
     [](const fs::path& elsewhere, const std::string&) {
         return Arguments{"--access-log", elsewhere / "none" / "log"};
     }},
    {"BackupsInAFile", 73, "", nullptr,
     [](const fs::path& elsewhere, const std::string&) {
         return Arguments{"--config", elsewhere / "in_a_file.toml"};
     }},
    {"BackupsBelowAFile", 73, "", nullptr,
     [](const fs::path& elsewhere, const std::string&) {
         return Arguments{"--config", elsewhere / "below_a_file.toml"};
     }},
};

const Obstacle kInTheFolder[] = {
    {"CaGarbled", 66, "ca.pem", garble},
    {"CaKeyGarbled", 66, "ca.key", garble},
    {"ServerGarbled", 66, "server.pem", garble},
    {"ServerKeyGarbled", 66, "server.key", garble},
    {"ServerKeyOfAnother", 66, "server.key", put_the_key_of_the_ca},
    {"ServerKeyMissing", 66, "server.key", remove},
    {"KeysGarbled", 78, "keys.toml", garble},
    {"CaIsAFolder", 66, "ca.pem", put_a_folder},
    {"ServerKeyIsAFolder", 66, "server.key", put_a_folder},
    {"KeysAreAFolder", 66, "keys.toml", put_a_folder},
    {"CaKeyDangles", 66, "ca.key", let_dangle},
    {"ServerDangles", 66, "server.pem", let_dangle},
    {"KeysDangle", 66, "keys.toml", let_dangle},
    {"CaIsAPipe", 66, "ca.pem", put_a_pipe},
    {"ServerIsAPipe", 66, "server.pem", put_a_pipe},
    {"ServerKeyIsAPipe", 66, "server.key", put_a_pipe},
    {"KeysAreAPipe", 66, "keys.toml", put_a_pipe},
    {"NoteIsAFolder", 65, "store.db-tail", put_a_folder},
    {"NoteDangles", 65, "store.db-tail", let_dangle},
    {"MarksAreAFile", 65, "store.marks", put_a_file},
    {"MarksDangle", 65, "store.marks", let_dangle},
    {"LogIsAPipe", 65, "store.db-wal", put_a_pipe},
    {"StoreIsAPipe", 65, "store.db", put_a_pipe},
    {"StoreIsALink", 65, "store.db", put_a_link},
    {"StoreIsText", 65, "store.db", garble},
    {"StoreHeaderIsProse", 65, "store.db", put_prose<0>},
    {"StoreSchemaIsProse", 65, "store.db", put_prose<100>},
    {"StoreIsCutShort", 65, "store.db", cut_short},
    {"StorePagesZeroed", 65, "store.db", zero_the_pages},
};

class Refused : public ::testing::TestWithParam<Obstacle> {
protected:
    // Killed, so that its log holds what is nowhere else.
    Refused() {
        auto client = gateway.client();
        for (int at = 0; at < 30; ++at) create_payment(client, "pay_" + std::to_string(at), 5'000);
        static_cast<void>(acquire(client, "pay_1"));
        client.close();
        gateway.stop();
        gateway.start();
        auto again = gateway.client();
        create_payment(again, "pay_in_the_log", 5'000);
        again.close();
        gateway.kill9();
        fs::create_directory(elsewhere());
        const auto file = (elsewhere() / "file").string();
        std::ofstream(file) << "x";
        std::ofstream(elsewhere() / "in_a_file.toml") << "backup_dir = \"" << file << "\"\n";
        std::ofstream(elsewhere() / "below_a_file.toml")
            << "backup_dir = \"" << file << "/below\"\n";
    }
    [[nodiscard]] fs::path elsewhere() const { return gateway.folder() / "elsewhere"; }
    CommandResult start(const fs::path& data) {
        const auto taken = "127.0.0.1:" + std::to_string(other.listen().port);
        const auto arguments = GetParam().arguments;
        return gateway.run_serve(data, arguments ? arguments(elsewhere(), taken) : Arguments{});
    }

    GatewayProcess gateway;
    GatewayProcess other;
};

TEST_P(Refused, LeavesEverythingAsItWas) {
    const auto file = gateway.data_dir() / GetParam().file;
    if (GetParam().put != nullptr) GetParam().put(file);
    const auto before = contents_of(gateway.folder());

    const auto refused = start(gateway.data_dir());

    EXPECT_THAT(refused, Exits(GetParam().exit_code));
    if (GetParam().put != nullptr) {
        EXPECT_THAT(refused.err, HasSubstr(file.string()));
    }
    EXPECT_THAT(refused.err, Not(HasSubstr("serves https")));
    expect_same(gateway.folder(), before);
}

class RefusedFirst : public Refused {};

TEST_P(RefusedFirst, LeavesNothing) {
    const auto before = contents_of(gateway.folder());

    EXPECT_THAT(start(gateway.folder() / "new" / "nested"), Exits(GetParam().exit_code));
    expect_same(gateway.folder(), before);
}

const auto name_of = [](const auto& row) { return row.param.name; };

INSTANTIATE_TEST_SUITE_P(InTheFolder, Refused, ::testing::ValuesIn(kInTheFolder), name_of);
INSTANTIATE_TEST_SUITE_P(BesideIt, Refused, ::testing::ValuesIn(kBesideTheFolder), name_of);
INSTANTIATE_TEST_SUITE_P(BesideIt, RefusedFirst, ::testing::ValuesIn(kBesideTheFolder), name_of);

}  // namespace
}  // namespace fencegate::testing
