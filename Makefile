# make demo: builds the library and a mini-program host, and runs the examples of Taro's documentation in it.
# make test: every check and test. Both set up what they need first, see scripts/setup.sh.

.PHONY: help demo test bench check header clean

help:
	@echo "make demo    build, and run the demo"
	@echo "make test    every check and test"
	@echo "make bench   measures the library and its peers, some 20 minutes"
	@echo "make check   the checks that need no build of the library"
	@echo "make header  write include/taro_socket.h anew from the sources"
	@echo "make clean   remove all that was made"

demo:
	@bash scripts/setup.sh demo
	@bash scripts/demo.sh

test:
	@bash scripts/setup.sh test
	@bash scripts/test.sh

bench:
	@bash scripts/bench.sh

check:
	@bash scripts/setup.sh check
	@bash scripts/test.sh format layering header_sections

header:
	@TARO_HEADER_OUT="$(CURDIR)/include/taro_socket.h" cargo build --locked
	@echo "include/taro_socket.h is written"

clean:
	rm -rf target
