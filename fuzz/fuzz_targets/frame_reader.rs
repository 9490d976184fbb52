//! Frames to messages: what a stream says does not depend on how it is cut, and a second reader agrees.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taro_fuzz::drive::{direct, feed, in_parts, longest};
use taro_fuzz::input::{Input, Plan};
use taro_fuzz::protocol::message::MessageReader;
use taro_fuzz::{memory, reference};

#[derive(Clone, Copy)]
enum Limit {
    Of(usize),
    /// So much less than the longest message has.
    Less(usize),
}

const LIMITS: [Limit; 8] = [
    Limit::Of(0),
    Limit::Of(1),
    Limit::Of(126),
    Limit::Of(5_000),
    Limit::Of(usize::MAX),
    Limit::Less(0),
    Limit::Less(1),
    Limit::Of(1 << 24),
];

/// Longer ones take too long byte by byte.
const BYTEWISE_BYTES: usize = 2_048;

/// Allocated ahead of what has come, at most.
const AHEAD_BYTES: usize = 64 * 1024;
/// For a control frame in parts.
const SLACK_BYTES: usize = 256;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let limit = input.pick(&LIMITS);
    let plan = input.plan();
    let stream = input.stream();
    let limit = match limit {
        Limit::Of(limit) => limit,
        Limit::Less(by) => longest(&reference::read(&stream, usize::MAX, None)).saturating_sub(by),
    };
    let reader = || MessageReader::new(limit, None);

    let expected = reference::read(&stream, limit, None);
    assert_eq!(in_parts(reader(), &stream, &mut Plan::of(&[0xff])), expected, "in large parts");
    if stream.len() < BYTEWISE_BYTES {
        assert_eq!(in_parts(reader(), &stream, &mut Plan::of(&[1])), expected, "byte by byte");
    }
    assert_eq!(in_parts(reader(), &stream, &mut plan.clone()), expected, "in parts");
    assert_eq!(direct(reader(), &stream, &mut plan.clone()), expected, "into the message");

    let peak = memory::peak_of(|| {
        let (mut reader, mut rest, mut plan) = (reader(), &stream[..], plan.clone());
        while !rest.is_empty() {
            feed(&mut reader, plan.part(&mut rest), |incoming| drop(incoming));
        }
    });
    assert!(peak <= AHEAD_BYTES.max(2 * stream.len()) + SLACK_BYTES, "{peak} for {}", stream.len());
});
