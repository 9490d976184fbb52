# taro_add_quickjs(TARGET FOLDER): a static library of the engine whose sources stand in FOLDER, quickjs-ng's or
# Bellard's, as scripts/engines/quickjs.sh puts them there. Its headers count as the system's: they are not held to
# the warnings of the host.
function(taro_add_quickjs target folder)
  if(NOT EXISTS "${folder}/quickjs.c")
    message(FATAL_ERROR "There is no ${folder}/quickjs.c: run scripts/engines/quickjs.sh first")
  endif()
  set(sources dtoa.c libregexp.c libunicode.c quickjs.c)
  set(definitions _GNU_SOURCE)
  if(EXISTS "${folder}/VERSION") # Bellard's
    file(STRINGS "${folder}/VERSION" version LIMIT_COUNT 1)
    list(APPEND sources cutils.c)
    list(APPEND definitions CONFIG_VERSION="${version}")
  endif()
  list(TRANSFORM sources PREPEND "${folder}/")
  add_library(${target} STATIC ${sources})
  # Without NDEBUG: the engine's own checks, such as that nothing is left of a runtime, are part of the tests.
  target_compile_options(${target} PRIVATE -w -O2 -funsigned-char -fwrapv)
  target_compile_definitions(${target} PRIVATE ${definitions})
  set_target_properties(${target} PROPERTIES C_EXTENSIONS ON POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target} SYSTEM INTERFACE "${folder}")
  target_link_libraries(${target} PUBLIC m Threads::Threads)
endfunction()
