#!/usr/bin/env bash
# include/taro_socket.h is what the sources say.
. "$(dirname "$0")/../lib.sh"

TARO_HEADER_OUT=$T/header_now.h cargo build --quiet --locked
diff -u include/taro_socket.h "$T/header_now.h" || die "include/taro_socket.h is old: run \`make header\`"
say "header: up to date"
