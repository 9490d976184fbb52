//! Compression and its undoing, of JSON. How levels compare is `src/bin/levels.rs`'s to tell.

use divan::{Bencher, black_box, counter::BytesCount};
use taro_micro::data;
use taro_micro::protocol::deflate::{Agreement, Deflater, Inflater, Progress};

const SIZES: [usize; 4] = [250, 1_000, 16_384, 65_536];
/// Bytes of a run of messages: four windows, so that no run finds the one before.
const RUN_BYTES: usize = 128 * 1024;

fn main() {
    divan::main();
}

fn agreement(takeover: bool, bits: u8) -> Agreement {
    Agreement {
        client_takeover: takeover,
        server_takeover: takeover,
        client_window_bits: bits,
        server_window_bits: bits,
    }
}

fn compress(bencher: Bencher, size: usize, agreement: &Agreement) {
    let messages = data::jsons((RUN_BYTES / size) as u64, size);
    let mut deflater = Deflater::new(agreement).unwrap();
    let mut out = Vec::with_capacity(2 * size + 64);
    let bytes: usize = messages.iter().map(String::len).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        for message in &messages {
            out.clear();
            deflater.add(black_box(message.as_bytes()), true, &mut out);
        }
    });
}

#[divan::bench(args = SIZES)]
fn compress_with_takeover(bencher: Bencher, size: usize) {
    compress(bencher, size, &agreement(true, 15));
}

#[divan::bench(args = SIZES)]
fn compress_without_takeover(bencher: Bencher, size: usize) {
    compress(bencher, size, &agreement(false, 15));
}

#[divan::bench(args = SIZES)]
fn compress_in_a_window_of_10_bits(bencher: Bencher, size: usize) {
    compress(bencher, size, &agreement(true, 10));
}

fn inflate(bencher: Bencher, size: usize, agreement: &Agreement) {
    let messages = data::jsons((RUN_BYTES / size) as u64, size);
    let mut deflater = Deflater::new(agreement).unwrap();
    let pack = |message: &String| {
        let mut out = Vec::new();
        deflater.add(message.as_bytes(), true, &mut out);
        out
    };
    let packed: Vec<Vec<u8>> = messages.iter().map(pack).collect();
    let mut out = Vec::with_capacity(2 * size + 64);
    let bytes: usize = messages.iter().map(String::len).sum();
    let mut inflater = Inflater::new(agreement);
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        for message in &packed {
            out.clear();
            let mut rest = black_box(&message[..]);
            while inflater.feed(&mut rest, &mut out, size + 1).unwrap() == Progress::Full {}
            inflater.finish(&mut out, 1).unwrap();
        }
    });
}

/// A run can be inflated over and over: nothing in it looks back to before its own first message.
#[divan::bench(args = SIZES)]
fn inflate_with_takeover(bencher: Bencher, size: usize) {
    inflate(bencher, size, &agreement(true, 15));
}

#[divan::bench(args = SIZES)]
fn inflate_without_takeover(bencher: Bencher, size: usize) {
    inflate(bencher, size, &agreement(false, 15));
}
