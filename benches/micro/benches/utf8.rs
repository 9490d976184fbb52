//! The check of text: as the reader makes it, whole and in parts, and as std makes it.

use divan::{Bencher, black_box, counter::BytesCount};
use taro_micro::data;
use taro_micro::protocol::message::MessageReader;

const SIZES: [usize; 4] = [16, 125, 4_096, 65_536];

fn main() {
    divan::main();
}

fn whole(bencher: Bencher, text: &[u8]) {
    let stream = data::frame(0x81, text);
    let mut reader = MessageReader::new(16 << 20, None);
    bencher.counter(BytesCount::new(text.len())).bench_local(|| {
        let mut part = black_box(&stream[..]);
        black_box(reader.next(&mut part).unwrap());
    });
}

#[divan::bench(args = SIZES)]
fn ascii(bencher: Bencher, size: usize) {
    whole(bencher, &data::ascii(size));
}

#[divan::bench(args = SIZES)]
fn chinese(bencher: Bencher, size: usize) {
    whole(bencher, &data::chinese(size));
}

#[divan::bench(args = SIZES)]
fn json(bencher: Bencher, size: usize) {
    whole(bencher, data::jsons(1, size)[0].as_bytes());
}

/// Characters are cut by the fragments.
#[divan::bench(args = [4_096, 65_536])]
fn chinese_in_fragments(bencher: Bencher, size: usize) {
    let text = data::chinese(size);
    let mut stream = data::frame(0x01, &[]);
    text.chunks(1_000).for_each(|part| stream.extend(data::frame(0x00, part)));
    stream.extend(data::frame(0x80, &[]));
    let mut reader = MessageReader::new(16 << 20, None);
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        let mut part = black_box(&stream[..]);
        black_box(reader.next(&mut part).unwrap());
    });
}

#[divan::bench(args = SIZES)]
fn chinese_by_std(bencher: Bencher, size: usize) {
    let text = data::chinese(size);
    bencher.counter(BytesCount::new(size)).bench(|| std::str::from_utf8(black_box(&text)).is_ok());
}
