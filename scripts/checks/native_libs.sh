#!/usr/bin/env bash
# What a program that links the static library needs from the system: rustc's list, on standard output, and
# the same in ffi-tests/cmake/tests.cmake.
. "$(dirname "$0")/../lib.sh"

printed=$(cargo rustc --locked --lib --crate-type staticlib -- --print native-static-libs 2>&1)
libs=$(sed -n 's/^note: native-static-libs: //p' <<<"$printed")
[ -n "$libs" ] || die "rustc said no libraries: $printed"
cmake=$(sed -n 's/^set(TARO_NATIVE_LIBS \(.*\))$/\1/p' ffi-tests/cmake/tests.cmake)
[ "${libs//-l/}" = "$cmake" ] || die "ffi-tests/cmake/tests.cmake links $cmake, rustc says $libs"
say "$libs"
