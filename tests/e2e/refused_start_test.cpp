// A start that is refused leaves everything as it was, whatever it is refused for: the log with
// what was acknowledged, certificates, marks; and of a first start, nothing.
#include "tests/support/api_calls.hpp"
#include "tests/support/folder_contents.hpp"
#include "tests/support/gateway_process.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

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
    void (*put)(const fs::path& data);
    Arguments (*arguments)(const fs::path& elsewhere, const std::string& taken);
    bool is_of_folder = true;  // else a first start meets it as well

    friend void PrintTo(const Obstacle& obstacle, std::ostream* out) { *out << obstacle.name; }
};

void nothing(const fs::path&) {}
Arguments none(const fs::path&, const std::string&) { return {}; }

template <const auto& Name>
void garble(const fs::path& data) {
    std::ofstream(data / Name) << "[[[ neither PEM nor TOML\n";
}
template <const auto& Name>
void make_folder(const fs::path& data) {
    fs::remove_all(data / Name);
    fs::create_directory(data / Name);
}
template <const auto& Name>
void make_dangling(const fs::path& data) {
    fs::remove_all(data / Name);
    fs::create_symlink("nowhere", data / Name);
}

constexpr char kCa[] = "ca.pem";
constexpr char kCaKey[] = "ca.key";
constexpr char kServer[] = "server.pem";
constexpr char kServerKey[] = "server.key";
constexpr char kKeys[] = "keys.toml";
constexpr char kTail[] = "store.db-tail";
constexpr char kMarks[] = "store.marks";

const Obstacle kObstacles[] = {
    {"ListenTaken", 69, nothing,
     [](const fs::path&, const std::string& taken) {
         return Arguments{"--listen", taken};
     },
     false},
    {"AdminTaken", 69, nothing,
     [](const fs::path&, const std::string& taken) {
         return Arguments{"--admin-listen", taken};
     },
     false},
    {"ListenNotOurs", 69, nothing,
     [](const fs::path&, const std::string&) {
         return Arguments{"--listen", "192.0.2.1:0"};
     },
     false},
    {"ReadyFileInNoFolder", 73, nothing,
     [](const fs::path& elsewhere, const std::string&) {
         return Arguments{"--ready-file", (elsewhere / "none" / "ready").string()};
     },
     false},
    {"ReadyFileIsAFolder", 73, nothing,
     [](const fs::path& elsewhere, const std::string&) {
         return Arguments{"--ready-file", elsewhere.string()};
     },
     false},
    {"AccessLogInNoFolder", 73, nothing,
     [](const fs::path& elsewhere, const std::string&) {
         return Arguments{"--access-log", (elsewhere / "none" / "log").string()};
     },
     false},
    {"BackupsInAFile", 73, nothing,
     [](const fs::path& elsewhere, const std::string&) {
         return Arguments{"--config", (elsewhere / "in_a_file.toml").string()};
     },
     false},
    {"BackupsBelowAFile", 73, nothing,
     [](const fs::path& elsewhere, const std::string&) {
         return Arguments{"--config", (elsewhere / "below_a_file.toml").string()};
     },
     false},
    {"CaGarbled", 66, garble<kCa>, none},
    {"CaKeyGarbled", 66, garble<kCaKey>, none},
    {"ServerGarbled", 66, garble<kServer>, none},
    {"ServerKeyGarbled", 66, garble<kServerKey>, none},
    {"KeysGarbled", 78, garble<kKeys>, none},
    {"CaIsAFolder", 66, make_folder<kCa>, none},
    {"ServerKeyIsAFolder", 66, make_folder<kServerKey>, none},
    {"KeysAreAFolder", 66, make_folder<kKeys>, none},
    {"CaKeyDangles", 66, make_dangling<kCaKey>, none},
    {"ServerDangles", 66, make_dangling<kServer>, none},
    {"KeysDangle", 66, make_dangling<kKeys>, none},
    {"NoteIsAFolder", 65, make_folder<kTail>, none},
    {"NoteDangles", 65, make_dangling<kTail>, none},
    {"MarksAreAFile", 65,
     [](const fs::path& data) {
         fs::remove_all(data / kMarks);
         std::ofstream(data / kMarks) << "x";
     },
     none},
    {"MarksDangle", 65, make_dangling<kMarks>, none},
    {"StoreIsALink", 65,
     [](const fs::path& data) {
         fs::rename(data / "store.db", data / "elsewhere.db");
         fs::create_symlink("elsewhere.db", data / "store.db");
     },
     none},
    // Behind the header and the schema, which the survey and SQLite look at first.
    {"PagesZeroed", 65,
     [](const fs::path& data) {
         const auto file = data / "store.db";
         const auto pages = fs::file_size(file) / 4'096;
         for (std::uintmax_t page = 2; page < pages; ++page)
             overwrite(file, static_cast<std::streamoff>(page * 4'096), std::string(4'096, '\0'));
     },
     none},
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
        std::vector<std::string> arguments{"serve", "--data-dir", data.string()};
        const auto own = GetParam().arguments(elsewhere(), taken());
        for (const std::string name : {"--listen", "--admin-listen"}) {
            if (std::ranges::count(own, name) > 0) continue;
            arguments.insert(arguments.end(), {name, "127.0.0.1:0"});
        }
        arguments.insert(arguments.end(), own.begin(), own.end());
        return gateway.run_cli(arguments);
    }
    [[nodiscard]] std::string taken() const {
        return "127.0.0.1:" + std::to_string(other.listen().port);
    }

    GatewayProcess gateway;
    GatewayProcess other;
};

TEST_P(Refused, LeavesEverythingAsItWas) {
    GetParam().put(gateway.data_dir());
    const auto before = contents_of(gateway.folder());

    const auto refused = start(gateway.data_dir());

    EXPECT_EQ(refused.exit_code, GetParam().exit_code) << refused.err;
    EXPECT_EQ(refused.err.find("serves https"), std::string::npos) << refused.err;
    expect_same(gateway.folder(), before);
}

class RefusedFirst : public Refused {};

TEST_P(RefusedFirst, LeavesNothing) {
    const auto before = contents_of(gateway.folder());

    const auto refused = start(gateway.folder() / "new" / "nested");

    EXPECT_EQ(refused.exit_code, GetParam().exit_code) << refused.err;
    expect_same(gateway.folder(), before);
}

std::vector<Obstacle> obstacles_to_a_first_start() {
    std::vector<Obstacle> found;
    std::ranges::copy_if(kObstacles, std::back_inserter(found),
                         [](const auto& row) { return !row.is_of_folder; });
    return found;
}

const auto name_of = [](const auto& row) { return row.param.name; };

INSTANTIATE_TEST_SUITE_P(Start, Refused, ::testing::ValuesIn(kObstacles), name_of);
INSTANTIATE_TEST_SUITE_P(Start, RefusedFirst, ::testing::ValuesIn(obstacles_to_a_first_start()),
                         name_of);

}  // namespace
}  // namespace fencegate::testing
