# What every folder of tests here shares: the library that cargo has built, the kit of support/, and how a program of
# one file becomes a test. Included by the CMakeLists.txt of the tests, after project().

get_filename_component(FFI_TESTS "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
get_filename_component(ROOT "${FFI_TESTS}/.." ABSOLUTE)
set(SUPPORT "${FFI_TESTS}/support")

set(TARO_LIB_DIR "${ROOT}/target/release" CACHE PATH "Folder of the library")
set(TARO_HOOKS_LIB_DIR "${ROOT}/target/hooks/release" CACHE PATH "Folder of the library with test hooks")
set(TARO_LINK "shared" CACHE STRING "How programs get the library: shared, static or dlopen")
set(TARO_SANITIZE "" CACHE STRING "Sanitizers of the C side, such as address,undefined")
option(TARO_VALGRIND "Run every program under valgrind's memcheck" OFF)
set(TARO_TEST_PYTHON "python3" CACHE STRING "Python with the packages of support/requirements.txt")
set(TARO_TEST_NODE "node" CACHE STRING "Node.js")
set(TARO_TEST_NODE_PATH "${ROOT}/target/node/node_modules" CACHE PATH "npm packages of support/package.json")
set_property(CACHE TARO_LINK PROPERTY STRINGS shared static dlopen)

# What the static library needs from the system, as `rustc --print native-static-libs` says; checked by
# scripts/checks/native_libs.sh.
set(TARO_NATIVE_LIBS gcc_s util rt pthread m dl c)

if(NOT TARO_LINK MATCHES "^(shared|static|dlopen)$")
  message(FATAL_ERROR "TARO_LINK is ${TARO_LINK}, not shared, static or dlopen")
endif()
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Debug)
endif()

set(CMAKE_C_STANDARD 11)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_EXTENSIONS OFF)
set(WARNINGS -Wall -Wextra -Wpedantic -Werror)
add_compile_options(${WARNINGS})
if(TARO_SANITIZE)
  set(SANITIZE -fsanitize=${TARO_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_compile_options(${SANITIZE})
  add_link_options(${SANITIZE})
endif()
find_package(Threads REQUIRED)

enable_testing()

# --- the library: one target for each of the two builds

set(SHARED_NAME "${CMAKE_SHARED_LIBRARY_PREFIX}taro_socket${CMAKE_SHARED_LIBRARY_SUFFIX}")
set(STATIC_NAME "${CMAKE_STATIC_LIBRARY_PREFIX}taro_socket${CMAKE_STATIC_LIBRARY_SUFFIX}")
file(STRINGS "${ROOT}/include/taro_socket.h" ABI REGEX "^#define TARO_ABI_VERSION [0-9]+$")
string(REGEX MATCH "[0-9]+$" ABI "${ABI}")

# The loader looks for the SONAME, which is not the name of cargo's file: a link of that name stands where the
# programs look.
function(add_library_build target from)
  set(shared "${from}/${SHARED_NAME}")
  set(static "${from}/${STATIC_NAME}")
  foreach(file IN ITEMS "${shared}" "${static}")
    if(NOT EXISTS "${file}")
      message(FATAL_ERROR "There is no ${file}: build the library first")
    endif()
  endforeach()
  set(home "${CMAKE_BINARY_DIR}/lib/${target}")
  file(MAKE_DIRECTORY "${home}")
  file(CREATE_LINK "${shared}" "${home}/${SHARED_NAME}.${ABI}" SYMBOLIC)
  add_library(${target} INTERFACE)
  target_include_directories(${target} INTERFACE "${ROOT}/include")
  if(TARO_LINK STREQUAL "shared")
    target_link_libraries(${target} INTERFACE "${home}/${SHARED_NAME}.${ABI}")
    target_link_options(${target} INTERFACE "LINKER:-rpath,${home}")
  elseif(TARO_LINK STREQUAL "static")
    target_link_libraries(${target} INTERFACE "${static}" ${TARO_NATIVE_LIBS})
  endif()
  set(${target}_file "${shared}" PARENT_SCOPE)
endfunction()
add_library_build(taro "${TARO_LIB_DIR}")
add_library_build(taro_hooks "${TARO_HOOKS_LIB_DIR}")

# --- the kit: checks, waits, records, servers

file(GLOB kit_sources CONFIGURE_DEPENDS "${SUPPORT}/*.c")
list(FILTER kit_sources EXCLUDE REGEX "/selftest[^/]*$")
add_library(kit STATIC ${kit_sources})
target_compile_definitions(kit PUBLIC _GNU_SOURCE)
target_include_directories(kit PUBLIC "${SUPPORT}" "${ROOT}/include")
target_link_libraries(kit PUBLIC Threads::Threads ${CMAKE_DL_LIBS})

# --- how a test is run

if(TARO_VALGRIND)
  find_program(VALGRIND valgrind REQUIRED)
  set(LAUNCH "${VALGRIND}" --tool=memcheck --quiet --error-exitcode=99 --trace-children=no
    --child-silent-after-fork=yes --leak-check=full --show-leak-kinds=definite,indirect,possible
    --errors-for-leak-kinds=definite,indirect,possible --num-callers=30 --track-fds=no
    # One thread runs at a time: without turns, one that looks again and again starves the others for minutes.
    --fair-sched=try)
  if(EXISTS "${FFI_TESTS}/valgrind.supp")
    list(APPEND LAUNCH "--suppressions=${FFI_TESTS}/valgrind.supp")
  endif()
  set(SLOW 10)
else()
  set(LAUNCH)
  set(SLOW 1)
  if(TARO_SANITIZE)
    set(SLOW 3)
  endif()
endif()

set(CERTS "${CMAKE_BINARY_DIR}/certs")
set(TEST_ENVIRONMENT
  "TARO_TEST_PYTHON=${TARO_TEST_PYTHON}"
  "TARO_TEST_NODE=${TARO_TEST_NODE}"
  "TARO_TEST_NODE_PATH=${TARO_TEST_NODE_PATH}"
  "NODE_PATH=${TARO_TEST_NODE_PATH}"
  "TARO_TEST_SUPPORT=${SUPPORT}"
  "TARO_TEST_CERTS=${CERTS}"
  "TARO_TEST_SLOW=${SLOW}"
  "PYTHONDONTWRITEBYTECODE=1"
  "ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=98"
  "UBSAN_OPTIONS=print_stacktrace=1")

# One set of certificates for all tests of a build.
add_test(NAME setup.certs COMMAND "${ROOT}/scripts/certs.sh" "${CERTS}")
set_tests_properties(setup.certs PROPERTIES FIXTURES_SETUP certs TIMEOUT 60 LABELS unit)

# What the first lines of a source say: `// <key>: <value>`.
function(read_directive out file key)
  file(STRINGS "${file}" lines LIMIT_COUNT 6)
  set(${out} "" PARENT_SCOPE)
  foreach(line IN LISTS lines)
    if(line MATCHES "^(//|/\\*) *${key}: *([^*]*[^* ])")
      set(${out} "${CMAKE_MATCH_2}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

function(register_test name file)
  read_directive(label "${file}" label)
  if(NOT label)
    set(label net)
  endif()
  if(NOT label MATCHES "^(unit|net|stress|interop)$")
    message(FATAL_ERROR "${file}: label ${label} is none of unit, net, stress and interop")
  endif()
  set(limit 60)
  if(label STREQUAL "stress")
    set(limit 240)
  endif()
  math(EXPR limit "${limit} * ${SLOW}")
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${limit} FIXTURES_REQUIRED certs
    ENVIRONMENT "${TEST_ENVIRONMENT}" SKIP_RETURN_CODE 77)
  if(label STREQUAL "stress")
    # It uses every processor; beside another test both would be late.
    set_tests_properties(${name} PROPERTIES PROCESSORS 2)
  endif()
endfunction()

# A program of one file, with more libraries to link. `// needs: test-hooks`: with the library that has them.
# `// link: none`: without a library, it loads one itself.
function(add_program target file)
  read_directive(needs "${file}" needs)
  read_directive(link "${file}" link)
  set(library taro)
  if(needs STREQUAL "test-hooks")
    set(library taro_hooks)
  elseif(needs)
    message(FATAL_ERROR "${file}: needs ${needs}, which is unknown")
  endif()
  add_executable(${target} "${file}")
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
  target_compile_definitions(${target} PRIVATE
    TARO_LIB_FILE="${taro_file}" TARO_HOOKS_LIB_FILE="${taro_hooks_file}" TARO_LINK_MODE="${TARO_LINK}")
  target_include_directories(${target} PRIVATE "${ROOT}/include")
  if(link STREQUAL "none")
    target_link_libraries(${target} PRIVATE ${ARGN} Threads::Threads ${CMAKE_DL_LIBS})
  elseif(link)
    message(FATAL_ERROR "${file}: link ${link}, which is unknown")
  else()
    # What calls the library stands before it.
    target_link_libraries(${target} PRIVATE ${ARGN} ${library} Threads::Threads)
  endif()
endfunction()
