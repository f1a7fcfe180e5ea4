#pragma once
// Whether the files of an open store still have the names under which a start will look for them.
// A file that was removed, renamed or replaced takes everything that is written to it, and what is
// acknowledged then is gone with the process.
// Thread rule: the store's. Looks at names only; the folder may have another name meanwhile.

#include <sys/types.h>

namespace fencegate::storage::sqlite {

class StoreNames {
public:
    // REQUIRES: `folder` is open longer than this, and so are the store and its log.
    explicit StoreNames(int folder);

    [[nodiscard]] bool has_store() const { return store_.is_kept(folder_); }
    [[nodiscard]] bool has_log() const { return log_.is_kept(folder_); }

private:
    class Name {
    public:
        Name(int folder, const char* name);
        [[nodiscard]] bool is_kept(int folder) const;

    private:
        const char* name_;
        ::dev_t device_ = 0;
        ::ino_t number_ = 0;  // no other file gets it while this one is open
    };

    int folder_;
    Name store_;
    Name log_;
};

}  // namespace fencegate::storage::sqlite
