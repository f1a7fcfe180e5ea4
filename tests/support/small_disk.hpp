#pragma once
// A disk of a few MiB in memory, mounted over a folder where only this test program and what it
// starts can see it. Owns: the mount; it ends with the object.
// Thread rule: construct on the thread that starts the children, before any other thread.
// Errors: std::runtime_error where the system lets neither root nor a user namespace mount.

#include <filesystem>
#include <string>

namespace fencegate::testing {

class SmallDisk {
public:
    // What is in `folder` is moved onto the disk.
    SmallDisk(std::filesystem::path folder, int mebibytes);
    ~SmallDisk();
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

    // Takes away what is left of the space, and gives it back.
    void fill() const;
    // Leaves `bytes` or a little more.
    void fill_but(std::size_t bytes) const;
    void make_room() const;

private:
    std::filesystem::path folder_;
};

}  // namespace fencegate::testing
