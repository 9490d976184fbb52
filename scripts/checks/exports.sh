#!/usr/bin/env bash
# The shared library exports what ffi-tests/abi/exports.txt lists, which is what the header declares; its
# SONAME carries the ABI number; it is linked never to be unmapped; loading it runs no code of its own.
#
# exports.sh LIBRARY
. "$(dirname "$0")/../lib.sh"

library=$1
list=ffi-tests/abi/exports.txt
header=include/taro_socket.h

nm -D --defined-only "$library" | awk '{print $3}' | sort >"$T/exports.txt"
diff -u "$list" "$T/exports.txt" || die "the exported symbols are not those of $list"
python3 scripts/checks/taro_header.py "$header" | sort >"$T/declared.txt"
diff -u "$list" "$T/declared.txt" || die "$header declares other functions than $list"

abi=$(awk '$2 == "TARO_ABI_VERSION" {print $3}' "$header")
readelf -d "$library" >"$T/dynamic.txt"
grep -q "SONAME.*\[libtaro_socket\.so\.$abi\]" "$T/dynamic.txt" || die "the SONAME is not libtaro_socket.so.$abi"
grep -q 'FLAGS_1.*NODELETE' "$T/dynamic.txt" || die "the library may be unmapped: the nodelete flag is missing"
python3 scripts/checks/constructors.py "$library"
say "exports: complete"
