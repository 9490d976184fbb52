//! Does one thing so many times, for a counter of instructions to watch: see instructions.sh.
//!
//! instructions              lists what there is: name, most instructions for each time, or - for no bound
//! instructions NAME TIMES   does it

use std::fs::File;
use std::hint::black_box;
use std::io::{Seek, Write};
use std::os::fd::AsRawFd;

use taro_micro::data;
use taro_micro::protocol::deflate::{Agreement, Deflater, Inflater};
use taro_micro::protocol::frame::{self, BINARY, TEXT};
use taro_micro::protocol::mask;
use taro_micro::protocol::message::{Incoming, MessageReader};

const LARGE: usize = 64 * 1024;
const LIMIT: usize = 16 << 20;

struct Case {
    name: &'static str,
    bound: Option<u64>,
    run: fn(usize),
}

const fn case(name: &'static str, bound: Option<u64>, run: fn(usize)) -> Case {
    Case { name, bound, run }
}

const CASES: [Case; 16] = [
    case("receive_binary_64k", Some(1_500), |times| receive(times, 0x82, &data::ascii(LARGE))),
    case("receive_text_64k", Some(15_000), |times| receive(times, 0x81, &data::ascii(LARGE))),
    case("receive_binary_64k_where_it_stays", Some(1_500), |times| direct(times, 0x82, &data::ascii(LARGE))),
    case("receive_text_64k_where_it_stays", Some(15_000), |times| direct(times, 0x81, &data::ascii(LARGE))),
    case("receive_chinese_text_64k", None, |times| receive(times, 0x81, &data::chinese(LARGE))),
    case("receive_json_text_64k", None, |times| receive(times, 0x81, data::jsons(1, LARGE)[0].as_bytes())),
    case("receive_binary_16", None, |times| receive(times, 0x82, &data::ascii(16))),
    case("receive_text_16", None, |times| receive(times, 0x81, &data::ascii(16))),
    case("receive_text_125", None, |times| receive(times, 0x81, &data::ascii(125))),
    case("receive_text_1000", None, |times| receive(times, 0x81, &data::ascii(1_000))),
    case("receive_compressed_json_1000", None, |times| receive_compressed(times, 1_000)),
    case("parse_head", None, |times| {
        for _ in 0..times {
            black_box(frame::parse_head(black_box(&[0x82, 126, 1, 0])).ok());
        }
    }),
    case("send_text_16", None, |times| send(times, TEXT, &data::ascii(16))),
    case("send_text_125", None, |times| send(times, TEXT, &data::ascii(125))),
    case("send_binary_64k", None, |times| send(times, BINARY, &data::ascii(LARGE))),
    case("send_compressed_json_1000", None, |times| send_compressed(times, 1_000)),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => CASES.iter().for_each(|case| {
            let bound = case.bound.map_or("-".to_owned(), |bound| bound.to_string());
            println!("{} {bound}", case.name);
        }),
        [name, times] => {
            let case = CASES.iter().find(|case| case.name == name).expect("no such case");
            (case.run)(times.parse().expect("no number"));
        }
        _ => panic!("instructions [NAME TIMES]"),
    }
}

/// Whole in the input.
fn receive(times: usize, first: u8, payload: &[u8]) {
    let stream = data::frame(first, payload);
    let mut reader = MessageReader::new(LIMIT, None);
    for _ in 0..times {
        let mut part = black_box(&stream[..]);
        let incoming = reader.next(&mut part);
        assert!(matches!(black_box(&incoming), Ok(Some(_))));
    }
}

/// The head is in the input, the payload is read into the message: the kernel's copying does not count.
fn direct(times: usize, first: u8, payload: &[u8]) {
    let stream = data::frame(first, payload);
    let head = &stream[..stream.len() - payload.len()];
    // SAFETY: the name is a C string.
    let descriptor = unsafe { libc::memfd_create(c"payload".as_ptr(), 0) };
    assert!(descriptor >= 0);
    // SAFETY: new, and nobody else's.
    let mut file: File = unsafe { std::os::fd::FromRawFd::from_raw_fd(descriptor) };
    file.write_all(payload).unwrap();
    let mut reader = MessageReader::new(LIMIT, None);
    for _ in 0..times {
        file.rewind().unwrap();
        let mut part = black_box(head);
        assert!(reader.next(&mut part).is_ok_and(|incoming| incoming.is_none()));
        while let Some((body, room)) = reader.body_target() {
            let spare = body.spare_capacity_mut();
            assert!(spare.len() >= room);
            // SAFETY: there is room for so many.
            let got = unsafe { libc::read(file.as_raw_fd(), spare.as_mut_ptr().cast(), room) };
            let got = usize::try_from(got).unwrap();
            // SAFETY: so many were written.
            unsafe { body.set_len(body.len() + got) };
            reader.body_filled(got).unwrap();
        }
        let message = reader.next(&mut part).unwrap();
        assert!(
            matches!(message, Some(Incoming::Binary(body) | Incoming::Text(body)) if body.len() == LARGE)
        );
    }
}

fn send(times: usize, opcode: u8, payload: &[u8]) {
    let mut out = Vec::new();
    for _ in 0..times {
        out.clear();
        frame::encode(&mut out, true, opcode, black_box(payload), mask::next_key().unwrap());
        black_box(&out);
    }
}

fn packed(count: usize, size: usize) -> Vec<Vec<u8>> {
    let mut deflater = Deflater::new(&Agreement::default()).unwrap();
    let pack = |message: &String| {
        let mut out = Vec::new();
        deflater.add(message.as_bytes(), true, &mut out);
        data::frame(0xc1, &out)
    };
    data::jsons(count as u64, size).iter().map(pack).collect()
}

fn receive_compressed(times: usize, size: usize) {
    let mut reader = MessageReader::new(LIMIT, Some(Inflater::new(&Agreement::default())));
    let frames = packed(16, size);
    for time in 0..times {
        let mut part = black_box(&frames[time % frames.len()][..]);
        assert!(black_box(reader.next(&mut part)).is_ok_and(|incoming| incoming.is_some()));
    }
}

fn send_compressed(times: usize, size: usize) {
    let messages = data::jsons(16, size);
    let mut deflater = Deflater::new(&Agreement::default()).unwrap();
    let mut out = Vec::new();
    for time in 0..times {
        out.clear();
        deflater.add(black_box(messages[time % messages.len()].as_bytes()), true, &mut out);
        black_box(&out);
    }
}
