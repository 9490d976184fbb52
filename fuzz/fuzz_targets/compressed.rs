//! Streams of compressed messages: the limit holds, on memory too, and the cuts change nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taro_fuzz::drive::{Kind, Said, direct, feed, in_parts, longest};
use taro_fuzz::input::{Input, Plan, put_frame};
use taro_fuzz::memory;
use taro_fuzz::protocol::deflate::{Agreement, Inflater};
use taro_fuzz::protocol::message::MessageReader;
use taro_fuzz::reference::{self, Whole};

const LIMITS: [usize; 8] = [0, 1, 100, 511, 2_560, usize::MAX, 65_536, 100_000];

/// For a control frame in parts.
const SLACK_BYTES: usize = 512;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let mut limit = input.pick(&LIMITS);
    let choices = input.byte();
    let agreement = Agreement { server_takeover: choices & 1 == 0, ..Agreement::default() };
    let plan = input.plan();
    let stream = if choices & 2 == 0 { compressed_frames(input) } else { input.stream() };
    let whole = || Some(Whole::new(agreement.server_takeover));
    if choices & 4 != 0 {
        // The longest message just fits, or does not.
        let longest = longest(&reference::read(&stream, limit, whole()));
        limit = longest.saturating_sub(usize::from(choices >> 3 & 1));
    }
    let reader = || MessageReader::new(limit, Some(Inflater::new(&agreement)));

    let expected = leveled(reference::read(&stream, limit, whole()));
    let large = in_parts(reader(), &stream, &mut Plan::of(&[0xff]));
    assert_eq!(leveled(large), expected, "in large parts");
    assert_eq!(leveled(in_parts(reader(), &stream, &mut plan.clone())), expected, "in parts");
    assert_eq!(leveled(direct(reader(), &stream, &mut plan.clone())), expected, "into the message");

    if limit == usize::MAX {
        return;
    }
    // As vectors grow: to twice what is there.
    let inflater = memory::peak_of(|| {
        let mut inflater = Inflater::new(&agreement);
        inflater.feed(&mut &[0][..], &mut Vec::new(), 1).unwrap();
    });
    let bound = inflater + 2 * (limit + 1) + SLACK_BYTES;
    let peak = memory::peak_of(|| {
        let (mut reader, mut rest, mut plan) = (reader(), &stream[..], plan.clone());
        while !rest.is_empty() {
            feed(&mut reader, plan.part(&mut rest), |incoming| {
                if let Ok(incoming) = incoming {
                    assert!(length(&incoming) <= limit);
                }
            });
            reader.rest();
        }
    });
    assert!(peak <= bound, "{peak} over {bound}");
});

fn length(incoming: &taro_fuzz::protocol::message::Incoming) -> usize {
    use taro_fuzz::protocol::message::Incoming::{Binary, Text};
    match incoming {
        Text(payload) | Binary(payload) => payload.len(),
        _ => 0,
    }
}

/// Of several faults in one message, which one is found first depends on the cuts.
fn leveled(mut said: Vec<Said>) -> Vec<Said> {
    if let Some(Said::Broke(kind @ (Kind::Utf8 | Kind::TooBig | Kind::Deflate))) = said.last_mut() {
        *kind = Kind::Deflate;
    }
    said
}

/// Frames whose payloads are the fuzzer's bytes as they are: patterns are seldom DEFLATE.
fn compressed_frames(mut input: Input) -> Vec<u8> {
    let mut stream = Vec::new();
    while !input.is_empty() {
        let first = input.byte();
        let length = input.byte();
        put_frame(&mut stream, first, input.bytes(usize::from(length)));
    }
    stream
}
