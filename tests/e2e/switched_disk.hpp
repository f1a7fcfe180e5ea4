#pragma once
// SwitchedDisk: the disk of one file of a gateway's store, which the test switches while it runs.
//
// Owns the words that the preloaded disk_shim reads. Thread rule: one thread. Errors fail the test.

#include "tests/support/disk_switch.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <climits>
#include <fcntl.h>
#include <linux/futex.h>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace fencegate::testing {

class SwitchedDisk {
public:
    explicit SwitchedDisk(std::string file_name) : file_name_(std::move(file_name)) {
        const int descriptor = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        EXPECT_EQ(::ftruncate(descriptor, sizeof(DiskWords)), 0);
        void* const mapped =
            ::mmap(nullptr, sizeof(DiskWords), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        ::close(descriptor);
        words_ = static_cast<DiskWords*>(mapped);
    }
    ~SwitchedDisk() {
        set(DiskMode::Works);
        ::munmap(words_, sizeof(DiskWords));
    }
    SwitchedDisk(const SwitchedDisk&) = delete;
    SwitchedDisk& operator=(const SwitchedDisk&) = delete;

    void set(DiskMode mode) {
        words_->mode = static_cast<std::uint32_t>(mode);
        ::syscall(SYS_futex, &words_->mode, FUTEX_WAKE, INT_MAX);
    }
    [[nodiscard]] bool holds_somebody() const { return words_->held > 0; }
    [[nodiscard]] std::uint32_t failed() const { return words_->failed; }
    [[nodiscard]] GatewayOptions options() const {
        return {.environment = {"LD_PRELOAD=" FENCEGATE_DISK_SHIM,
                                "FENCEGATE_TEST_DISK=" + file_.string(),
                                "FENCEGATE_TEST_DISK_FILE=/" + file_name_}};
    }

private:
    TempDir folder_;
    std::filesystem::path file_ = folder_.path() / "words";
    std::string file_name_;
    DiskWords* words_ = nullptr;
};

}  // namespace fencegate::testing
