# How everything is compiled: one language level, one set of warnings, sanitizers by preset.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

option(REKEY_TESTS "Build the tests, the simulator and the benches" ON)
set(REKEY_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")

add_library(rekey_options INTERFACE)
target_include_directories(rekey_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(rekey_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports -Wrestrict on std::string concatenation that is correct (GCC bug 105329), and at -O2
  # -Wmismatched-new-delete on coroutine frames, whose new and delete are Asio's own pair (GCC bug 109224).
  target_compile_options(rekey_options INTERFACE -Wno-restrict -Wno-mismatched-new-delete)
endif()
# Beast and Asio are templates: what they allow to be compiled once is compiled once, in net/.
target_compile_definitions(rekey_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED REKEY_VERSION="${PROJECT_VERSION}")

if(REKEY_SANITIZE)
  target_compile_options(rekey_options INTERFACE
    -fsanitize=${REKEY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
    # Boost's error categories are initialised as constants, which the check takes for broken objects.
    -fno-sanitize=vptr)
  target_link_options(rekey_options INTERFACE -fsanitize=${REKEY_SANITIZE})
endif()

find_program(REKEY_CCACHE ccache)
if(REKEY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${REKEY_CCACHE})
endif()
find_program(REKEY_MOLD mold)
if(REKEY_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
