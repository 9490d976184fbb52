//! Our compression: every inflater gets the message back, within the agreed window, and it never grows by much.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taro_fuzz::independent::{Independent, Windowed};
use taro_fuzz::input::Input;
use taro_fuzz::protocol::deflate::{Agreement, Deflater, Inflater, Progress};
use taro_fuzz::reference::Whole;

/// On all messages together.
const LIMIT: usize = 24 * 1024;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let choices = input.byte();
    let (bits, takeover) = (9 + (choices & 7) % 7, choices & 8 == 0);
    let agreement = Agreement {
        client_takeover: takeover,
        server_takeover: takeover,
        client_window_bits: bits,
        server_window_bits: bits,
    };
    let mut deflater = Deflater::new(&agreement).expect("a window that can be made");
    let mut inflater = Inflater::new(&agreement);
    let mut whole = Whole::new(takeover);
    let mut independent = Independent::new(takeover, LIMIT);
    let mut windowed = Windowed::new(takeover, bits);
    let mut parts = input.plan();
    let mut left = LIMIT;
    let mut earlier = Vec::new();

    while !input.is_empty() {
        let mut message = input.payload();
        if message.len() % 3 == 1 {
            // Some of what came before, so that there is something in the window.
            message.extend_from_slice(&earlier);
        }
        if message.len() > left {
            return;
        }
        left -= message.len();

        let mut wire = b"before".to_vec();
        let (mut rest, mut count) = (&message[..], 0);
        while !rest.is_empty() {
            deflater.add(parts.part(&mut rest), false, &mut wire);
            count += 1;
        }
        deflater.add(b"", true, &mut wire);
        let wire = wire.strip_prefix(b"before").expect("only appended to");
        assert!(wire.len() <= message.len() + message.len() / 8 + 64, "{} of {}", wire.len(), message.len());
        assert!(!wire.is_empty() && !wire.ends_with(&[0, 0, 0xff, 0xff]), "{count} parts");

        assert_eq!(inflate(&mut inflater, wire), message);
        assert_eq!(independent.message(wire).as_ref(), Some(&message), "by the other implementation");
        assert_eq!(windowed.message(wire), message, "within the agreed window");
        let mut out = Vec::new();
        whole.feed(wire, &mut out, LIMIT).unwrap();
        whole.finish(&mut out, LIMIT).unwrap();
        assert_eq!(out, message, "in one go");
        if choices & 16 != 0 {
            deflater.rest();
            inflater.rest();
        }
        earlier = message;
    }
});

/// In small rooms.
fn inflate(inflater: &mut Inflater, mut wire: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    let mut out = Vec::new();
    loop {
        let progress = inflater.feed(&mut wire, &mut out, 200).expect("our own is DEFLATE");
        message.append(&mut out);
        if progress == Progress::Hungry {
            break;
        }
    }
    assert_eq!(inflater.finish(&mut out, 1), Ok(Progress::Hungry));
    assert!(wire.is_empty() && out.is_empty(), "all was out before the tail");
    message
}
