#include "tests/support/gunzip.hpp"

#include <zlib.h>

#include <array>
#include <stdexcept>

namespace fencegate::testing {

std::string gunzip(std::string_view compressed) {
    z_stream stream{};
    if (::inflateInit2(&stream, MAX_WBITS + 16) != Z_OK) throw std::runtime_error("inflateInit2");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
    stream.avail_in = static_cast<uInt>(compressed.size());
    std::string text;
    std::array<char, 16'384> space{};
    int result = Z_OK;
    while (result == Z_OK) {
        stream.next_out = reinterpret_cast<Bytef*>(space.data());
        stream.avail_out = static_cast<uInt>(space.size());
        result = ::inflate(&stream, Z_NO_FLUSH);
        text.append(space.data(), space.size() - stream.avail_out);
    }
    const bool is_whole = result == Z_STREAM_END && stream.avail_in == 0;
    ::inflateEnd(&stream);
    if (!is_whole) throw std::runtime_error("not one whole gzip member");
    return text;
}

}  // namespace fencegate::testing
