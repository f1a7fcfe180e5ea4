#pragma once
// What a log was before one bit of it flipped, found by trying them all against its checksum.
// The checksum is a sum, no hash: the high bits of its words cannot be told apart, and about one
// flipped bit in four has several places that fit. Then nothing is healed: a page that checks and
// is not what was written is worse than a page that is missing.
// Thread rule: pure functions. Errors: nothing is returned for what cannot be told for certain.

#include "storage/sqlite/log_file.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace fencegate::storage::sqlite {

// The header, flipped or not. `first_frame`: what stands behind it, with its page; its salts and
// its checksum say which of the places that fit it is. Empty if there is no whole one.
// REQUIRES: kLogHeaderBytes bytes of header.
[[nodiscard]] std::optional<LogHeader> whole_header(Bytes header, Bytes first_frame);

struct FrameImage {
    std::vector<std::uint8_t> header;  // the first 8 bytes of the frame's
    std::vector<std::uint8_t> page;
};

// `before`: what the frame's checksum goes on from. The salts are in no checksum and not looked at.
[[nodiscard]] std::optional<FrameImage> whole_frame(const LogChecksum& before, Bytes header,
                                                    Bytes page);

}  // namespace fencegate::storage::sqlite
