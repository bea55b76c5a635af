# Writes OUTPUT: every migration of DIRECTORY (NNNN_name.sql) with its SQL and its SHA-256, in order.
# Run at build time: cmake -DDIRECTORY=... -DOUTPUT=... -P embed.cmake
file(GLOB files "${DIRECTORY}/*.sql")
list(SORT files)
set(entries "")
set(expected 0)
foreach(file IN LISTS files)
  get_filename_component(stem "${file}" NAME_WE)
  if(NOT stem MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
    message(FATAL_ERROR "${file}: a migration is named NNNN_what_it_does.sql")
  endif()
  set(number "${CMAKE_MATCH_1}")
  set(name "${CMAKE_MATCH_2}")
  math(EXPR expected "${expected} + 1")
  string(REGEX REPLACE "^0+" "" version "${number}")
  if(NOT version EQUAL expected)
    message(FATAL_ERROR "${file}: expected number ${expected}; migrations have no gaps")
  endif()
  file(READ "${file}" sql)
  file(SHA256 "${file}" checksum)
  string(APPEND entries "    {${version}, \"${name}\", \"${checksum}\", R\"sql(${sql})sql\"},\n")
endforeach()
file(WRITE "${OUTPUT}"
  "// Generated from storage/migrations/*.sql by embed.cmake.\n"
  "#include \"storage/sqlite/migrations.hpp\"\n\n"
  "namespace rekey::storage::sqlite {\nnamespace {\n\n"
  "constexpr Migration kMigrations[] = {\n${entries}};\n\n}  // namespace\n\n"
  "std::span<const Migration> embedded_migrations() { return kMigrations; }\n\n"
  "}  // namespace rekey::storage::sqlite\n")
