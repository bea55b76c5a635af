// BOOST_ASIO_SEPARATE_COMPILATION: Asio's non-template parts are compiled here and nowhere else.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
