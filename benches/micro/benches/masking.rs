//! Masking on the way into a frame, and in place.

use divan::{Bencher, black_box, counter::BytesCount};
use taro_micro::protocol::frame::{BINARY, encode};
use taro_micro::protocol::mask;

const SIZES: [usize; 7] = [0, 16, 125, 1_000, 16_384, 65_536, 1 << 20];
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn main() {
    divan::main();
}

#[divan::bench(args = SIZES)]
fn in_place(bencher: Bencher, size: usize) {
    let mut payload = vec![7; size];
    bencher
        .counter(BytesCount::new(size))
        .bench_local(|| mask::apply(black_box(&mut payload), black_box(KEY)));
}

/// A whole frame into a buffer that has room.
#[divan::bench(args = SIZES)]
fn into_a_frame(bencher: Bencher, size: usize) {
    let payload = vec![7; size];
    let mut out = Vec::new();
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        out.clear();
        encode(black_box(&mut out), true, BINARY, black_box(&payload), black_box(KEY));
    });
}

#[divan::bench]
fn next_key() -> [u8; 4] {
    mask::next_key().unwrap()
}
