// The one main() of every Boost.Test executable; suites register themselves.
#define BOOST_TEST_MODULE rekey
#include <boost/test/unit_test.hpp>
