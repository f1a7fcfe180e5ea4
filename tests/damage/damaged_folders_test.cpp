// Every way to damage a data folder that a table of files and deeds gives, alone and in pairs,
// before every command. Whoever refuses leaves the folder byte for byte as it was. Whoever goes on
// has lost nothing that was acknowledged, or says in numbers what, and keeps the files as they
// were.
#include "base/start_failure.hpp"
#include "proxy/key_file.hpp"
#include "storage/engine.hpp"
#include "storage/restore.hpp"
#include "storage/salvage.hpp"
#include "storage/verify.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <string_view>
#include <sys/stat.h>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kPayments = 8;

// Names, modes and bytes.
using Contents = std::map<std::string, std::string>;

Contents contents_of(const fs::path& folder) {
    Contents contents;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        struct stat status {};
        ::lstat(entry.path().c_str(), &status);
        auto text = std::to_string(status.st_mode) + ":";
        if (entry.is_regular_file()) {
            std::ifstream in(entry.path(), std::ios::binary);
            const auto head = text.size();
            text.resize(head + entry.file_size());
            in.read(text.data() + head, static_cast<std::streamsize>(entry.file_size()));
        }
        contents[fs::relative(entry.path(), folder).string()] = std::move(text);
    }
    return contents;
}

std::string difference(const Contents& before, const Contents& after) {
    std::string told;
    for (const auto& [name, text] : before) {
        const auto found = after.find(name);
        if (found == after.end()) told += " -" + name;
        if (found != after.end() && found->second != text) told += " ~" + name;
    }
    for (const auto& [name, text] : after) {
        if (!before.contains(name)) told += " +" + name;
    }
    return told;
}

// What somebody does to one file. `other`: the same file of another store.
struct Deed {
    const char* name;
    std::function<void(const fs::path& file, const fs::path& other)> act;
};

void cut_to(const fs::path& file, std::uintmax_t part, std::uintmax_t parts) {
    std::error_code ec;
    const auto size = fs::file_size(file, ec);
    if (!ec) fs::resize_file(file, size * part / parts);
}

void flip(const fs::path& file, std::uintmax_t part, std::uintmax_t parts) {
    std::error_code ec;
    const auto size = fs::file_size(file, ec);
    if (ec || size == 0) return;
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    const auto at = static_cast<std::streamoff>((size - 1) * part / parts);
    stream.seekg(at);
    const auto byte = static_cast<char>(stream.get() ^ 4);
    stream.seekp(at);
    stream.put(byte);
}

const std::vector<Deed>& deeds() {
    static const std::vector<Deed> all{
        {"Move", [](const auto& file, const auto&) { fs::rename(file, file.string() + ".away"); }},
        {"Delete", [](const auto& file, const auto&) { fs::remove(file); }},
        {"Empty", [](const auto& file, const auto&) { cut_to(file, 0, 1); }},
        {"CutShort", [](const auto& file, const auto&) { cut_to(file, 1, 50); }},
        {"CutHalf", [](const auto& file, const auto&) { cut_to(file, 1, 2); }},
        {"CutEnd", [](const auto& file, const auto&) { cut_to(file, 49, 50); }},
        {"FlipHead", [](const auto& file, const auto&) { flip(file, 0, 1); }},
        {"FlipMiddle", [](const auto& file, const auto&) { flip(file, 1, 2); }},
        {"FlipEnd", [](const auto& file, const auto&) { flip(file, 1, 1); }},
        {"Swap",
         [](const auto& file, const auto& other) {
             fs::remove(file);
             fs::copy_file(other, file);
         }},
    };
    return all;
}

constexpr const char* kFiles[] = {"store.db", "store.db-wal", "store.db-tail", "store.lock"};

struct Way {
    std::string name;
    std::function<void(const fs::path& folder, const fs::path& other)> damage;
};

Way way_of(const char* file, const Deed& deed) {
    return {std::string(deed.name) + " " + file,
            [file, &deed](const auto& folder, const auto& other) {
                deed.act(folder / file, other / file);
            }};
}

std::vector<Way> ways() {
    std::vector<Way> single;
    for (const auto* file : kFiles) {
        for (const auto& deed : deeds()) single.push_back(way_of(file, deed));
    }
    single.push_back({"Delete store.marks", [](const auto& folder, const auto&) {
                          fs::remove_all(folder / "store.marks");
                      }});
    single.push_back({"Move store.marks", [](const auto& folder, const auto&) {
                          fs::rename(folder / "store.marks", folder / "marks.away");
                      }});
    auto all = single;
    // Two deeds on two files: those that need no file of the other's.
    for (std::size_t left = 0; left < single.size(); ++left) {
        for (std::size_t right = left + 1; right < single.size(); right += 2) {
            const auto& first = single[left];
            const auto& second = single[right];
            if (first.name.substr(first.name.find(' ')) ==
                second.name.substr(second.name.find(' ')))
                continue;
            all.push_back({first.name + " and " + second.name,
                           [first, second](const auto& folder, const auto& other) {
                               first.damage(folder, other);
                               second.damage(folder, other);
                           }});
        }
    }
    return all;
}

// How a command ended, and what it said when it refused.
struct Ended {
    bool is_refused = false;
    std::string told;
};

struct Stores {
    StoreHarness killed;  // most of it is in the log
    StoreHarness other;
    TempDir backups;

    Stores() {
        make(killed);
        killed.store.reset();
        make(other);
        other.create("elsewhere", 100);
        other.store.reset();
        StoreHarness backup;
        make(backup);
        backup.store->close();
        backup.store.reset();
        fs::copy_file(backup.folder() / "store.db", backups / "backup.db");
    }

    static void make(StoreHarness& store) {
        // As where the file system knows no births: a copy of the folder is then at home.
        store.connection->exec("UPDATE store SET born_ns = 0");
        for (int number = 0; number < kPayments; ++number) {
            store.clock.advance(Duration(300));  // a mark each
            store.create("pay_" + std::to_string(number), 500);
        }
    }
};

class DamagedFolders : public ::testing::Test {
protected:
    static void SetUpTestSuite() { stores_ = std::make_unique<Stores>(); }
    static void TearDownTestSuite() { stores_.reset(); }

    // `holds`: what is so when the command has not refused.
    void each_way(const std::function<Ended(const fs::path& folder)>& command,
                  const std::function<std::string(const fs::path& folder, const Contents& before)>&
                      fault_of) {
        const auto all = ways();
        ASSERT_GE(all.size(), 300U);
        int refused = 0;
        for (const auto& way : all) {
            const TempDir copy;
            const auto folder = copy / "data";
            fs::copy(stores_->killed.folder(), folder, fs::copy_options::recursive);
            way.damage(folder, stores_->other.folder());
            const auto before = contents_of(folder);
            const auto ended = command(folder);
            if (ended.is_refused) {
                ++refused;
                EXPECT_EQ(difference(before, contents_of(folder)), "")
                    << way.name << ": " << ended.told;
                EXPECT_NE(ended.told, "") << way.name;
            } else {
                EXPECT_EQ(fault_of(folder, before), "") << way.name << ": " << ended.told;
            }
        }
        RecordProperty("ways", static_cast<int>(all.size()));
        RecordProperty("refused", refused);
        std::cout << all.size() << " ways, " << refused << " refused\n";
    }

    static fs::path backup() { return stores_->backups / "backup.db"; }

    // The bytes of the store and of its log are there still, under whatever name.
    static std::string loses_bytes(const fs::path& folder, const Contents& before) {
        const auto bytes_of = [](std::string_view text) { return text.substr(text.find(':')); };
        const auto now = contents_of(folder);
        std::string lost;
        for (const char* file : {"store.db", "store.db-wal"}) {
            const auto found = before.find(file);
            if (found == before.end() || found->second.ends_with(":")) continue;
            const auto is_kept = std::ranges::any_of(now, [&](const auto& entry) {
                return bytes_of(entry.second) == bytes_of(found->second);
            });
            if (!is_kept) lost += std::string(" ") + file;
        }
        return lost;
    }

    // Nothing, or a failure of the read that meets the damage.
    static std::string lacks_payments(const fs::path& folder, const Contents&) {
        const auto connection = storage::sqlite::Connection::open_to_read(folder / "store.db");
        if (!connection) return {};
        storage::sqlite::Statement count(**connection,
                                         "SELECT count(*) FROM payments WHERE id LIKE 'pay_%'");
        auto row = count.query();
        if (!row.next() || (*connection)->failure()) return {};
        if (row.integer(0) == kPayments) return {};
        return "has " + std::to_string(row.integer(0)) + " payments";
    }

private:
    static inline std::unique_ptr<Stores> stores_;
};

template <class T>
Ended ended(const Result<T>& result) {
    return {!result, result ? std::string() : result.error().detail};
}

TEST_F(DamagedFolders, ServeLosesNothingOrTouchesNothing) {
    each_way(
        [](const fs::path& folder) {
            ManualClock clock;
            SeededRandom random(1);
            RecordingObserver observer;
            return ended(storage::open_embedded_engine(
                {.data_dir = folder,
                 .classes = lockmgr::LockClasses({{.name = "payments"}}),
                 .wait_limits = {},
                 .on_fatal = {}},
                clock, random, observer));
        },
        lacks_payments);
}

TEST_F(DamagedFolders, VerifyTouchesNothingAndFindsSoundOnlyWhatIsWhole) {
    each_way(
        [](const fs::path& folder) {
            const auto report = storage::verify_store(folder / "store.db");
            return Ended{true, report ? "reported" : report.error().detail};
        },
        loses_bytes);
}

TEST_F(DamagedFolders, RestoreKeepsWhatWasThereOrTouchesNothing) {
    each_way(
        [](const fs::path& folder) {
            return ended(storage::restore_store({.data_dir = folder}, WallTime{}));
        },
        loses_bytes);
}

TEST_F(DamagedFolders, RestoreFromABackupKeepsWhatWasThereOrTouchesNothing) {
    each_way(
        [](const fs::path& folder) {
            return ended(
                storage::restore_store({.data_dir = folder, .from = backup()}, WallTime{}));
        },
        loses_bytes);
}

TEST_F(DamagedFolders, SalvageTouchesNothing) {
    each_way(
        [](const fs::path& folder) {
            const auto to = folder.parent_path() / "salvaged";
            const auto salvaged = storage::salvage_store({.data_dir = folder, .to = to});
            EXPECT_EQ(fs::exists(to), salvaged.has_value());
            return Ended{true, salvaged ? "salvaged" : salvaged.error().detail};
        },
        loses_bytes);
}

TEST_F(DamagedFolders, ARefusedChangeOfKeysTouchesNothing) {
    each_way(
        [](const fs::path& folder) {
            const auto revoked = proxy::revoke_key(folder, proxy::KeyId{7});
            return ended(revoked);
        },
        loses_bytes);
}

}  // namespace
}  // namespace fencegate::testing
