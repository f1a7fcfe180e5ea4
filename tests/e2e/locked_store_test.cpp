// A store that is served belongs to its gateway: no other program gets at it, neither SQLite nor a
// second fencegate, whatever the gateway has done since and whatever became of the names.
#include "tests/support/api_calls.hpp"
#include "tests/support/command_matcher.hpp"
#include "tests/support/folder_contents.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/reply_matcher.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fcntl.h>
#include <fstream>
#include <unistd.h>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kInUse = 75;

// The bytes that every SQLite locks: pending, reserved, shared.
bool is_locked_for_others(const fs::path& database) {
    const int descriptor = ::open(database.c_str(), O_RDWR | O_CLOEXEC);
    EXPECT_GE(descriptor, 0);
    struct ::flock lock {};
    lock.l_type = F_RDLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0x40000000;
    lock.l_len = 512;
    EXPECT_EQ(::fcntl(descriptor, F_GETLK, &lock), 0);
    ::close(descriptor);
    return lock.l_type == F_WRLCK;
}

// What the shell does for .tables.
int look_with_sqlite(const fs::path& database) {
    ::sqlite3* handle = nullptr;
    int code = ::sqlite3_open(database.c_str(), &handle);
    if (code == SQLITE_OK)
        code =
            ::sqlite3_exec(handle, "SELECT count(*) FROM sqlite_schema", nullptr, nullptr, nullptr);
    ::sqlite3_close(handle);
    return code;
}

class ServedStore : public ::testing::Test {
protected:
    fs::path store() const { return gateway.data_dir() / "store.db"; }
    static std::string payment(int number) { return "pay_" + std::to_string(number); }
    void pay() {
        auto client = gateway.client();
        EXPECT_THAT(create_payment(client, payment(++payments), 100), Is(201));
    }
    void expect_all_payments() {
        auto client = gateway.client();
        for (int number = 1; number <= payments; ++number)
            EXPECT_THAT(client.request("GET", "/v1/payments/" + payment(number)), Is(200));
    }

    void expect_nobody_else_gets_in(const std::string& when) {
        SCOPED_TRACE(when);
        pay();
        EXPECT_TRUE(is_locked_for_others(store()));
        EXPECT_EQ(look_with_sqlite(store()), SQLITE_BUSY);
        EXPECT_TRUE(fs::exists(store().string() + "-wal"));
        pay();
    }

    void back_up() {
        EXPECT_THAT(gateway.run_on_data("backup", {"--admin", gateway.admin_url()}), Exits(0));
    }
    void write_until_a_checkpoint() {
        constexpr const char* kCount = "fencegate_store_checkpoint_seconds_count";
        auto admin = gateway.admin_client();
        auto client = gateway.client();
        const auto before = metric(admin, kCount);
        for (int at = 0; at < 5'000; ++at) {
            create_payment(client, "fill_" + std::to_string(at), 100);
            if (at % 50 == 0 && metric(admin, kCount) != before) return;
        }
        FAIL() << "no checkpoint";
    }

    GatewayProcess gateway;
    int payments = 0;
};

TEST_F(ServedStore, IsLockedAgainstSqliteWhateverTheGatewayHasDone) {
    expect_nobody_else_gets_in("after the first start");
    back_up();
    expect_nobody_else_gets_in("after a backup");
    EXPECT_THAT(gateway.run_on_data("verify", {"--online", "--admin", gateway.admin_url()}),
                Exits(0));
    expect_nobody_else_gets_in("after a verification");
    gateway.add_key("app", {"payments:read"});
    expect_nobody_else_gets_in("after a reload");
    write_until_a_checkpoint();
    expect_nobody_else_gets_in("after a checkpoint");
    gateway.restart();
    expect_nobody_else_gets_in("after a restart");
    gateway.kill9();
    gateway.start();
    expect_nobody_else_gets_in("after a crash");

    gateway.kill9();
    gateway.start();
    expect_all_payments();
}

class ServedFolder : public ServedStore {
protected:
    // The gateway stands still meanwhile: every change is somebody else's.
    void expect_refused(const fs::path& folder, std::vector<std::string> arguments) {
        SCOPED_TRACE(arguments.front());
        arguments.insert(arguments.begin() + 1, {"--data-dir", folder.string()});
        gateway.pause();
        const auto before = contents_of(folder);
        EXPECT_THAT(gateway.run_cli(arguments), Exits(kInUse));
        expect_same(folder, before);
        gateway.resume();
    }

    void expect_all_refused(const fs::path& folder) {
        if (!fs::exists(backup)) make_backup();
        expect_refused(folder, kServe);
        expect_refused(folder, {"restore"});
        expect_refused(folder, {"restore", "--from", backup.string()});
        expect_refused(folder, {"salvage", "--to", (gateway.folder() / "salvaged").string()});
        expect_refused(folder, {"verify"});
        pay();
    }

    // Nobody has disturbed the gateway, and all that it acknowledged is there after a crash.
    void expect_nothing_lost() {
        gateway.kill9();
        gateway.start();
        expect_all_payments();
    }

    void make_backup() {
        back_up();
        for (const auto& entry : fs::directory_iterator(gateway.data_dir() / "backups"))
            fs::rename(entry.path(), backup);
    }

    const std::vector<std::string> kServe{"serve", "--listen", "127.0.0.1:0", "--admin-listen",
                                          "127.0.0.1:0"};
    const fs::path lock = gateway.data_dir() / "store.lock";
    const fs::path backup = gateway.folder() / "backup.db";
};

TEST_F(ServedFolder, IsRefusedToEverybodyElseWhateverBecameOfItsLockFile) {
    pay();
    expect_all_refused(gateway.data_dir());
    fs::remove(lock);
    expect_all_refused(gateway.data_dir());
    std::ofstream(lock) << "A store was made here.\n";
    expect_all_refused(gateway.data_dir());
    expect_nothing_lost();
}

TEST_F(ServedFolder, IsRefusedUnderItsNewName) {
    pay();
    make_backup();
    const auto moved = gateway.folder() / "moved";
    fs::rename(gateway.data_dir(), moved);
    fs::remove(moved / "store.lock");
    expect_refused(moved, kServe);
    expect_refused(moved, {"restore"});
    expect_refused(moved, {"restore", "--from", backup.string()});
    fs::rename(moved, gateway.data_dir());
    expect_nothing_lost();
}

TEST_F(ServedFolder, IsRefusedAlthoughItsStoreWasRenamed) {
    pay();
    make_backup();
    const auto moved = gateway.data_dir() / "other.db";
    fs::rename(store(), moved);
    fs::remove(lock);
    expect_refused(gateway.data_dir(), kServe);
    expect_refused(gateway.data_dir(), {"restore", "--from", backup.string()});
    expect_refused(gateway.data_dir(), {"verify", "--file", moved.string()});
    fs::rename(moved, store());
    expect_nothing_lost();
}

TEST_F(ServedFolder, IsRefusedByAnotherNameOfItsStore) {
    pay();
    const auto other = gateway.folder() / "other";
    fs::create_directory(other);
    for (const auto* name : {"store.db", "x.db"}) fs::create_hard_link(store(), other / name);
    expect_all_refused(other);
    expect_refused(other, {"verify", "--file", (other / "x.db").string()});
    expect_refused(other, {"restore", "--from", (other / "x.db").string()});
    expect_nothing_lost();
}

class ServedStoreWithoutItsName : public ServedStore {
protected:
    // Until the gateway sees what has happened, and ends; nothing else may happen to a payment than
    // to be acknowledged or not.
    void pay_until_it_ends() {
        auto client = gateway.client();
        for (int at = 0; at < 10; ++at) {
            if (create_payment(client, payment(payments + 1), 100).status != 201) break;
            ++payments;
        }
        EXPECT_EQ(gateway.wait_for_exit(), 70);
    }

    const fs::path aside = gateway.data_dir() / "aside";
};

TEST_F(ServedStoreWithoutItsName, SavesTheLogThatWasRemovedAndEnds) {
    for (int number = 0; number < 20; ++number) pay();
    fs::remove(store().string() + "-wal");

    pay_until_it_ends();

    gateway.start();
    expect_all_payments();
}

TEST_F(ServedStoreWithoutItsName, SavesTheLogThatWasReplacedAndEnds) {
    for (int number = 0; number < 20; ++number) pay();
    fs::copy_file(store().string() + "-wal", aside);
    fs::rename(aside, store().string() + "-wal");

    pay_until_it_ends();

    EXPECT_THAT(gateway.run_serve(gateway.data_dir()),
                Exits(65, "All of it is in the store as well"));
    EXPECT_THAT(gateway.run_on_data("restore"), Exits(0));
    gateway.start();
    expect_all_payments();
}

TEST_F(ServedStoreWithoutItsName, AcknowledgesNothingIntoAStoreThatWasRenamed) {
    for (int number = 0; number < 20; ++number) pay();
    fs::rename(store(), aside);
    const auto acknowledged = payments;

    pay_until_it_ends();
    EXPECT_EQ(payments, acknowledged);

    fs::rename(aside, store());
    gateway.start();
    expect_all_payments();
}

}  // namespace
}  // namespace fencegate::testing
