// What an operator may set is what the documentation says.
#include "proxy/config/config.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace fencegate::proxy {
namespace {

TEST(ConfigDocs, EveryKeyStandsInTheOperationsGuide) {
    std::ifstream file(std::string(FENCEGATE_SOURCE_DIR) + "/docs/operations.md");
    std::stringstream text;
    text << file.rdbuf();
    ASSERT_FALSE(text.str().empty());

    for (const auto& key : config_keys())
        EXPECT_NE(text.str().find("| `" + key + "` |"), std::string::npos) << key;
}

}  // namespace
}  // namespace fencegate::proxy
