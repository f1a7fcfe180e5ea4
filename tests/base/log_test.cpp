// What stderr is told, by format: people, the journal, machines.
#include "base/log.hpp"

#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace fencegate {
namespace {

class LogLines : public ::testing::Test {
protected:
    void SetUp() override {
        ::unsetenv("JOURNAL_STREAM");
        ::testing::internal::CaptureStderr();
    }
    void TearDown() override {
        if (!is_read_) ::testing::internal::GetCapturedStderr();
        ::unsetenv("JOURNAL_STREAM");
    }
    std::string lines() {
        is_read_ = true;
        return ::testing::internal::GetCapturedStderr();
    }
    // As systemd starts a service whose stderr is the journal.
    static void make_stderr_the_journal(ino_t off_by) {
        struct stat own {};
        ::fstat(STDERR_FILENO, &own);
        const auto stream = std::to_string(own.st_dev) + ":" + std::to_string(own.st_ino + off_by);
        ::setenv("JOURNAL_STREAM", stream.c_str(), 1);
    }

    fencegate::testing::ManualClock clock_;

private:
    bool is_read_ = false;
};

TEST_F(LogLines, AreATimeALevelAndTheWordsForPeople) {
    const Log log(LogFormat::Text, clock_);

    log.warning("the disk is slow", {{"waited_ms", 12}, {"file", "my store"}, {"code", "slow"}});

    EXPECT_EQ(lines(), std::string(rfc3339(clock_.wall_now()).text) +
                           " warning fencegate: the disk is slow waited_ms=12 "
                           "file=\"my store\" code=slow\n");
}

TEST_F(LogLines, StayOneLineWhateverTheyAreTold) {
    const Log log(LogFormat::Text, clock_);

    log.info("a\nb\x1b[2J", {{"name", "c\nd"}});

    const auto told = lines();
    EXPECT_TRUE(told.ends_with("fencegate: a b [2J name=\"c\\u000ad\"\n")) << told;
}

TEST_F(LogLines, AreObjectsForMachines) {
    const Log log(LogFormat::Json, clock_);

    log.error("no \"room\"\nleft", {{"request_id", "r-1"}, {"bytes", 7}});

    EXPECT_EQ(lines(), "{\"ts\":\"" + std::string(rfc3339(clock_.wall_now()).text) +
                           "\",\"level\":\"error\",\"message\":\"no \\\"room\\\"\\u000aleft\","
                           "\"request_id\":\"r-1\",\"bytes\":7}\n");
    EXPECT_FALSE(log.is_for_people());
}

TEST_F(LogLines, LeaveTimeAndLevelToTheJournal) {
    make_stderr_the_journal(0);
    const Log text(LogFormat::Text, clock_);
    const Log json(LogFormat::Json, clock_);

    text.error("a");
    text.warning("b");
    text.info("c", {{"d", "e"}});
    json.error("f");

    const auto told = lines();
    EXPECT_TRUE(told.starts_with("<3>fencegate: a\n<4>fencegate: b\n<6>fencegate: c d=e\n<3>{"))
        << told;
    EXPECT_FALSE(text.is_for_people());
}

TEST_F(LogLines, AreForPeopleWhenTheJournalReadsAnotherStream) {
    make_stderr_the_journal(1);
    const Log log(LogFormat::Text, clock_);

    log.show("as\nit\nis\n");

    EXPECT_TRUE(log.is_for_people());
    EXPECT_EQ(lines(), "as\nit\nis\n");
}

}  // namespace
}  // namespace fencegate
