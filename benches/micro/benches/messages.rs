//! Whole messages through the reader, as reads give them.

use divan::{Bencher, black_box, counter::ItemsCount};
use taro_micro::data;
use taro_micro::protocol::deflate::{Agreement, Deflater, Inflater};
use taro_micro::protocol::message::MessageReader;

/// What one read gives, and how many small messages it may hold.
const READ_BYTES: usize = 16 * 1024;
const BURST: usize = 64;

fn main() {
    divan::main();
}

fn drain(reader: &mut MessageReader, mut part: &[u8]) {
    while let Some(incoming) = reader.next(&mut part).unwrap() {
        black_box(incoming);
    }
}

fn in_reads(bencher: Bencher, stream: &[u8], count: usize, read: usize) {
    let mut reader = MessageReader::new(16 << 20, None);
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        for part in black_box(stream).chunks(read) {
            drain(&mut reader, part);
        }
    });
}

#[divan::bench(args = [0, 16, 125, 126, 1_000])]
fn small_texts(bencher: Bencher, size: usize) {
    in_reads(bencher, &data::frame(0x81, &data::ascii(size)).repeat(BURST), BURST, usize::MAX);
}

#[divan::bench(args = [0, 16, 125, 126, 1_000])]
fn small_binaries(bencher: Bencher, size: usize) {
    in_reads(bencher, &data::frame(0x82, &data::ascii(size)).repeat(BURST), BURST, usize::MAX);
}

/// Reads end anywhere, so that messages and heads are cut.
#[divan::bench(args = [100, 1_000])]
fn cut_texts(bencher: Bencher, size: usize) {
    in_reads(bencher, &data::frame(0x81, &data::ascii(size)).repeat(BURST), BURST, 701);
}

#[divan::bench(args = [65_536, 1 << 20])]
fn large_binaries_in_reads(bencher: Bencher, size: usize) {
    in_reads(bencher, &data::frame(0x82, &data::ascii(size)), 1, READ_BYTES);
}

#[divan::bench(args = [65_536, 1 << 20])]
fn large_texts_in_reads(bencher: Bencher, size: usize) {
    in_reads(bencher, &data::frame(0x81, &data::ascii(size)), 1, READ_BYTES);
}

#[divan::bench(args = [1_000, 65_536])]
fn in_fragments(bencher: Bencher, size: usize) {
    let payload = data::ascii(size);
    let mut stream = data::frame(0x01, &[]);
    payload.chunks(size / 8).for_each(|part| stream.extend(data::frame(0x00, part)));
    stream.extend(data::frame(0x80, &[]));
    in_reads(bencher, &stream, 1, usize::MAX);
}

/// Without takeover, so that one and the same stream can be read over and over.
#[divan::bench(args = [250, 4_096, 65_536])]
fn compressed(bencher: Bencher, size: usize) {
    let agreement = Agreement { client_takeover: false, server_takeover: false, ..Agreement::default() };
    let mut packed = Vec::new();
    let message = &data::jsons(1, size)[0];
    Deflater::new(&agreement).unwrap().add(message.as_bytes(), true, &mut packed);
    let stream = data::frame(0xc1, &packed);
    let mut reader = MessageReader::new(16 << 20, Some(Inflater::new(&agreement)));
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        let mut part = black_box(&stream[..]);
        loop {
            match reader.next(&mut part).unwrap() {
                Some(incoming) => drop(black_box(incoming)),
                None if reader.is_paused() => {}
                None => break,
            }
        }
    });
}
