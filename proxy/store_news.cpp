#include "proxy/store_news.hpp"

#include <cstdio>

namespace fencegate::proxy {
namespace {

// A disk that is lost as a whole fills no log.
constexpr std::size_t kDamagesToldMax = 100;

}  // namespace

void StoreNews::on_damage(const std::string& what) {
    if (damages_told_.size() == kDamagesToldMax || !damages_told_.insert(what).second) return;
    std::fprintf(stderr,
                 "fencegate: the store is DAMAGED: %s. What needs it is answered 500 "
                 "store_damaged, the rest is served. fencegate verify says what else is; then put "
                 "a backup in its place with fencegate restore.\n",
                 what.c_str());
}

}  // namespace fencegate::proxy
