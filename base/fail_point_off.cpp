#include "base/fail_point.hpp"

namespace rekey::fail_point {

void reached(Point /*point*/) noexcept {}
void reached(FileStep /*step*/, std::string_view /*path*/) noexcept {}

}  // namespace rekey::fail_point
