#include "tests/support/stored_pages.hpp"

#include "storage/sqlite/page_seal.hpp"

#include <array>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>

namespace fencegate::testing {
namespace {

using storage::sqlite::Connection;
using storage::sqlite::kFilePageBytes;
using storage::sqlite::Statement;

constexpr std::size_t kLogHeaderBytes = 32;
constexpr std::size_t kFrameHeaderBytes = 24;
constexpr std::size_t kFrameBytes = kFrameHeaderBytes + kFilePageBytes;

class OpenFile {
public:
    explicit OpenFile(const std::filesystem::path& file)
        : descriptor_(::open(file.c_str(), O_RDWR | O_CLOEXEC)) {
        if (descriptor_ < 0) throw std::runtime_error("cannot open " + file.string());
    }
    ~OpenFile() { ::close(descriptor_); }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    void read(void* out, std::size_t size, std::size_t offset) const {
        if (::pread(descriptor_, out, size, static_cast<off_t>(offset)) !=
            static_cast<ssize_t>(size))
            throw std::runtime_error("cannot read");
    }
    void write(const void* data, std::size_t size, std::size_t offset) const {
        if (::pwrite(descriptor_, data, size, static_cast<off_t>(offset)) !=
            static_cast<ssize_t>(size))
            throw std::runtime_error("cannot write");
    }

private:
    int descriptor_;
};

using Page = std::array<std::byte, kFilePageBytes>;

Page read_page(const OpenFile& file, std::uint32_t number) {
    Page page;
    file.read(page.data(), page.size(), (number - 1) * kFilePageBytes);
    return page;
}

}  // namespace

std::vector<std::uint32_t> pages_without_seal(const std::filesystem::path& file) {
    std::vector<std::uint32_t> found;
    const OpenFile open(file);
    const auto pages = std::filesystem::file_size(file) / kFilePageBytes;
    for (std::uint32_t number = 1; number <= pages; ++number) {
        if (!storage::sqlite::carries_seal(read_page(open, number), number))
            found.push_back(number);
    }
    return found;
}

// By dbstat, which says of each page what tree it belongs to and how many cells it has.
std::uint32_t page_with_row(Connection& connection, const std::filesystem::path& file,
                            const std::string& table, const std::string& where) {
    std::string text;
    std::vector<std::uint32_t> leaves;
    {
        const auto column = table == "payments"  ? "id"
                            : table == "answers" ? "body"
                            : table == "locks"   ? "name"
                                                 : "lock";
        const auto sql = std::string("SELECT ") + column + " FROM " + table + " WHERE " + where;
        Statement find(connection, sql.c_str());
        auto row = find.query();
        if (!row.next()) throw std::runtime_error("no such row");
        text = row.text(0).substr(0, 200);
    }
    Statement stat(connection, "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'");
    auto row = stat.query(std::string_view(table));
    while (row.next()) leaves.push_back(static_cast<std::uint32_t>(row.integer(0)));
    const OpenFile open(file);
    for (const auto number : leaves) {
        const auto page = read_page(open, number);
        const std::string_view bytes(reinterpret_cast<const char*>(page.data()), page.size());
        if (bytes.find(text) != std::string_view::npos) return number;
    }
    throw std::runtime_error("no page has the row");
}

void flip_bit_at(const std::filesystem::path& file, std::size_t offset, unsigned bit) {
    const OpenFile open(file);
    std::uint8_t byte = 0;
    open.read(&byte, 1, offset);
    byte = static_cast<std::uint8_t>(byte ^ (1U << bit));
    open.write(&byte, 1, offset);
}

void flip_bit(const std::filesystem::path& file, std::uint32_t page, std::size_t offset,
              unsigned bit) {
    flip_bit_at(file, (page - 1) * kFilePageBytes + offset, bit);
}

void copy_page(const std::filesystem::path& file, std::uint32_t from, std::uint32_t to) {
    const OpenFile open(file);
    const auto page = read_page(open, from);
    open.write(page.data(), page.size(), (to - 1) * kFilePageBytes);
}

std::size_t frames_of(const std::filesystem::path& log) {
    const auto size = std::filesystem::file_size(log);
    return size < kLogHeaderBytes ? 0 : (size - kLogHeaderBytes) / kFrameBytes;
}

void flip_bit_of_frame(const std::filesystem::path& log, std::size_t frame, std::size_t offset) {
    flip_bit_at(log, kLogHeaderBytes + frame * kFrameBytes + kFrameHeaderBytes + offset);
}

}  // namespace fencegate::testing
