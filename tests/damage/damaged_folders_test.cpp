// Every way to damage a data folder that a table of files and deeds gives, alone and in pairs,
// before every command. Whoever refuses leaves the folder byte for byte as it was. Whoever goes on
// has lost nothing that was acknowledged, or says in numbers what, and keeps the files as they
// were.
#include "base/start_failure.hpp"
#include "proxy/access/key_file.hpp"
#include "storage/copies/restore.hpp"
#include "storage/copies/salvage.hpp"
#include "storage/model/engine.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/verify_store.hpp"
#include "tests/damage/deeds.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <string_view>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kPayments = 8;

constexpr const char* kFiles[] = {"store.db", "store.db-wal", "store.db-tail", "store.lock"};

// From the oldest on.
std::vector<fs::path> marks_in(const fs::path& folder) {
    std::vector<fs::path> marks;
    for (const auto& entry : fs::directory_iterator(folder / "store.marks"))
        marks.push_back(entry.path());
    std::ranges::sort(marks, {}, [](const auto& mark) {
        const auto name = mark.filename().string();
        return std::stoll(name.substr(name.find('-') + 1));
    });
    return marks;
}

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
    single.push_back({"Empty store.marks", [](const auto& folder, const auto&) {
                          fs::remove_all(folder / "store.marks");
                          fs::create_directory(folder / "store.marks");
                      }});
    single.push_back({"Swap store.marks", [](const auto& folder, const auto& other) {
                          fs::remove_all(folder / "store.marks");
                          fs::copy(other / "store.marks", folder / "store.marks");
                      }});
    single.push_back({"Garble store.marks", [](const auto& folder, const auto&) {
                          for (const auto& mark : marks_in(folder))
                              fs::rename(mark, mark.string() + "x");
                      }});
    single.push_back({"Cut store.marks", [](const auto& folder, const auto&) {
                          fs::remove(marks_in(folder).back());
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

// How a command ended, and what it said when it refused or lost something.
struct Ended {
    bool is_refused = false;
    std::string told;
    std::string fault{};  // of what it said
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
            EXPECT_EQ(ended.fault, "") << way.name << ": " << ended.told;
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

    // A folder with every payment in it, which SQLite reads to the end.
    static bool is_whole(const fs::path& folder) {
        const TempDir copy;
        fs::copy(folder, copy / "data", fs::copy_options::recursive);
        return payments_in(copy / "data") == kPayments && is_sound(copy / "data" / "store.db");
    }

    static bool is_sound(const fs::path& file) {
        const auto opened = storage::sqlite::Connection::open_to_read(file);
        if (!opened) return false;
        storage::sqlite::Statement check(**opened, "PRAGMA integrity_check(1)");
        auto row = check.query();
        return row.next() && row.text(0) == "ok" && !(*opened)->failure();
    }

    // -1: they cannot be read.
    static std::int64_t payments_in(const fs::path& folder) {
        const auto opened = storage::sqlite::Connection::open_to_read(folder / "store.db");
        if (!opened) return -1;
        storage::sqlite::Statement count(**opened,
                                         "SELECT count(*) FROM payments WHERE id LIKE 'pay_%'");
        auto row = count.query();
        return row.next() && !(*opened)->failure() ? row.integer(0) : -1;
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
    int sound = 0;
    each_way(
        [&](const fs::path& folder) {
            const auto report = storage::verify_store(folder / "store.db");
            Ended ended{true, report ? "reported" : report.error().detail};
            if (!report || !report->is_sound()) return ended;
            ++sound;
            if (!is_whole(folder)) ended.fault = "is found sound and is not whole";
            return ended;
        },
        loses_bytes);
    EXPECT_GT(sound, 20) << "hardly anything is found sound";
}

// What is not in the store afterwards is told in numbers.
TEST_F(DamagedFolders, RestoreKeepsWhatWasThereOrTouchesNothing) {
    int lossy = 0;
    each_way(
        [&](const fs::path& folder) {
            const auto restored = storage::restore_store({.data_dir = folder}, WallTime{});
            auto end = ended(restored);
            if (!restored || payments_in(folder) == kPayments) return end;
            ++lossy;
            const bool has_number = restored->lost.find_first_of("0123456789") != std::string::npos;
            if (!has_number && restored->generations_behind == 0)
                end.fault = std::to_string(payments_in(folder)) + " payments are left, untold";
            return end;
        },
        loses_bytes);
    EXPECT_GT(lossy, 10) << "hardly anything was lost";
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

TEST_F(DamagedFolders, AStoreThatWasCutSaysHowManyPagesItHadAndHas) {
    for (const std::uintmax_t part : {1, 2, 3}) {
        const TempDir copy;
        const auto file = copy / "data" / "store.db";
        fs::create_directory(copy / "data");
        fs::copy_file(backup(), file);
        const auto pages = fs::file_size(file) / 4096;
        const auto found = pages * part / 4;
        fs::resize_file(file, found * 4096 + 100);

        const auto opened = storage::sqlite::open_database(copy / "data");

        ASSERT_FALSE(opened);
        const auto& told = opened.error().detail;
        EXPECT_NE(told.find(std::to_string(found) + " whole pages"), std::string::npos) << told;
        EXPECT_NE(told.find("had " + std::to_string(pages) + ";"), std::string::npos) << told;
    }
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
