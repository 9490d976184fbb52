//! Any bytes as compressed messages: within the room, the same however they come, and as other inflaters see it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taro_fuzz::independent::Independent;
use taro_fuzz::input::{Input, Plan};
use taro_fuzz::protocol::deflate::{Agreement, Corrupt, Inflater, Progress};
use taro_fuzz::reference::Whole;

/// On all messages together.
const LIMIT: usize = 24 * 1024;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let choices = input.byte();
    let (server_window_bits, server_takeover) = (8 + (choices & 7), choices & 8 == 0);
    let agreement = Agreement { server_takeover, server_window_bits, ..Agreement::default() };
    let mut ours = Inflater::new(&agreement);
    let mut whole = Whole::new(server_takeover);
    let mut independent = Independent::new(server_takeover, LIMIT);
    let (mut parts, mut rooms) = (input.plan(), input.plan());
    let mut left = LIMIT;

    while !input.is_empty() {
        let length = usize::from(input.byte()) * if choices & 16 == 0 { 1 } else { 16 };
        let payload = input.bytes(length);
        let mut expected = Vec::new();
        let is_good =
            whole.feed(payload, &mut expected, left).is_ok() && whole.finish(&mut expected, left).is_ok();
        let message = inflate(&mut ours, payload, &mut parts, &mut rooms, left);
        if server_window_bits == 15 {
            // A smaller window than was used is noticed, or not, by the cuts.
            assert_eq!(message.is_ok(), is_good);
        }
        let Ok(message) = message else { return };
        assert!(is_good);
        assert_eq!(message, expected);
        if let Some(message) = independent.message(payload) {
            assert_eq!(message, expected, "by the other implementation");
        }
        left -= message.len();
        if choices & 32 != 0 {
            ours.rest();
        }
    }
});

/// Part by part, room by room. Too much is an error here too.
fn inflate(
    inflater: &mut Inflater,
    mut payload: &[u8],
    parts: &mut Plan,
    rooms: &mut Plan,
    limit: usize,
) -> Result<Vec<u8>, Corrupt> {
    let mut message = Vec::new();
    let mut step = |part: Option<&mut &[u8]>| {
        let mut out = b"before".to_vec();
        let room = rooms.size().clamp(1, 10_000);
        let progress = match part {
            Some(part) => inflater.feed(part, &mut out, room)?,
            None => inflater.finish(&mut out, room)?,
        };
        let made = out.strip_prefix(b"before").expect("only appended to");
        assert!(made.len() <= room && (progress == Progress::Hungry || made.len() == room));
        message.extend_from_slice(made);
        if message.len() > limit { Err(Corrupt) } else { Ok(progress) }
    };
    while !payload.is_empty() {
        let mut part = parts.part(&mut payload);
        while step(Some(&mut part))? == Progress::Full {}
        assert!(part.is_empty(), "hungry, and not eaten up");
    }
    while step(None)? == Progress::Full {}
    Ok(message)
}
