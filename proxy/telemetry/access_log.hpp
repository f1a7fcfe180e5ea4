#pragma once
// AccessLog: one JSON line a request, written by a thread of its own so that a slow terminal or
// disk never holds up a request. Bounded: what does not fit is dropped and counted in the log.
// A file that was renamed is written until reopen().
// Never in it: keys, bodies, Authorization, full Idempotency-Keys.
// Thread rule: write() from any thread; the mutex is held for an append.

#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/result.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace fencegate::proxy {

struct AccessLine {
    std::string_view listener;
    std::string_view request_id;
    std::string_view trace_id;
    std::string_view peer;
    std::string_view principal;
    std::string_view method;
    std::string_view route;
    int status = 0;
    std::string_view code;
    std::string_view fence_status;  // as X-Fence-Status told it
    std::size_t bytes_in = 0;
    std::size_t bytes_out = 0;
    std::int64_t micros = 0;
};

class AccessLog {
public:
    // `target`: a path, "-" for stdout, "off". Fails with: StartFailure CannotCreate.
    [[nodiscard]] static Result<std::unique_ptr<AccessLog>> open(const std::string& target,
                                                                 const Clock& clock);
    ~AccessLog();
    AccessLog(const AccessLog&) = delete;
    AccessLog& operator=(const AccessLog&) = delete;

    void write(const AccessLine& line);

    // Lines that are in no log: nobody took them in time, or the disk had no room. Any thread.
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

    // Opens the path anew, for what is written from now on; of "-" and "off" nothing. Call it from
    // one thread at a time. Fails with: CannotCreate; what was open stays so.
    [[nodiscard]] Result<> reopen();

private:
    AccessLog(std::string target, Descriptor file, const Clock& clock);
    void work();
    void write_out(std::string_view bytes);

    const std::string target_;
    const Clock& clock_;
    Descriptor file_;  // the thread's own once it runs; not open for "-" and "off"
    std::mutex mutex_;
    std::condition_variable has_lines_;
    std::string pending_;       // guarded by mutex_
    std::size_t dropped_ = 0;   // guarded by mutex_
    bool stop_ = false;         // guarded by mutex_
    Descriptor next_file_{-1};  // guarded by mutex_; open: takes the place of file_
    std::atomic<std::uint64_t> lost_ = 0;
    std::thread thread_;
};

}  // namespace fencegate::proxy
