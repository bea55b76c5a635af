# One way to declare a library, a program and a test.

# rekey_library(name SOURCES a.cpp ... LINKS targets ...): the static library of one top-level folder.
function(rekey_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC rekey_options ${ARG_LINKS})
endfunction()

# rekey_program(name SOURCES a.cpp ... LINKS targets ...)
function(rekey_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE rekey_options ${ARG_LINKS})
endfunction()

# rekey_boost_tests(name SOURCES foo_tests.cpp ... LINKS targets ... [TIMEOUT s] [LABEL l] [SUPPORT x.cpp])
# One executable; every foo_tests.cpp holds the suite foo_tests and becomes the ctest <name>.foo_tests.
function(rekey_boost_tests name)
  cmake_parse_arguments(ARG "" "TIMEOUT;LABEL" "SOURCES;SUPPORT;LINKS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  if(REKEY_SANITIZE)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 5")
  endif()
  add_executable(${name} ${ARG_SOURCES} ${ARG_SUPPORT})
  target_link_libraries(${name} PRIVATE rekey_test_main rekey_test_fixtures ${ARG_LINKS})
  # What is tested is what is shipped; the cases themselves, half of all that is compiled, are not made faster.
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${name} PRIVATE -O0)
  endif()
  foreach(source IN LISTS ARG_SOURCES)
    get_filename_component(suite ${source} NAME_WE)
    add_test(NAME ${name}.${suite} COMMAND ${name} --run_test=${suite} --log_level=message)
    set_tests_properties(${name}.${suite} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABEL}")
  endforeach()
endfunction()
