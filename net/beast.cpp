// BOOST_BEAST_SEPARATE_COMPILATION: Beast's non-template parts are compiled here and nowhere else.
#include <boost/beast/src.hpp>
