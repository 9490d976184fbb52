//! Close frames: read as by a second reader, written so that they are read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taro_fuzz::drive::{Kind, Said, in_parts};
use taro_fuzz::input::{Input, put_frame};
use taro_fuzz::protocol::close::{self, CloseArgument};
use taro_fuzz::protocol::message::{MessageReader, Violation};
use taro_fuzz::reference;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let mut parts = input.plan();
    let wide = input.byte();
    let payload = input.rest();

    let expected = reference::close_payload(payload);
    match (close::parse(payload), &expected) {
        (Ok(ours), Ok(theirs)) => {
            assert_eq!(ours, *theirs);
            let (code, reason) = ours.unwrap_or((close::NO_STATUS, String::new()));
            if reason.len() <= close::MAX_REASON_BYTES {
                assert_eq!(close::payload(code, &reason), payload);
            }
        }
        (Err(Violation::Protocol(_)), Err(Kind::Protocol)) | (Err(Violation::Utf8), Err(Kind::Utf8)) => {}
        (ours, theirs) => panic!("{ours:?} and {theirs:?}"),
    }

    // As a frame, with one behind it that nobody may see.
    let mut stream = Vec::new();
    put_frame(&mut stream, 0x88, payload);
    put_frame(&mut stream, 0x81, b"behind the end");
    let said = in_parts(MessageReader::new(0, None), &stream, &mut parts);
    let expected = if payload.len() > 125 { Err(Kind::Protocol) } else { expected };
    assert_eq!(said, [expected.map_or_else(Said::Broke, Said::Close)]);

    // As a caller's arguments.
    let (code, reason) = match payload {
        [high, low, reason @ ..] => (u32::from_be_bytes([0, wide & 1, *high, *low]), reason),
        short => (1000, short),
    };
    let is_code = code == 1000 || (3000..5000).contains(&code);
    match (close::check(code, reason), std::str::from_utf8(reason)) {
        (Err(CloseArgument::Code), _) => assert!(!is_code),
        (Err(CloseArgument::ReasonLength), _) => assert!(is_code && reason.len() > 123),
        (Err(CloseArgument::ReasonUtf8), theirs) => {
            assert!(is_code && reason.len() <= 123 && theirs.is_err());
        }
        (Ok(ours), theirs) => {
            assert!(is_code && reason.len() <= 123);
            assert_eq!((u32::from(ours.0), Ok(ours.1)), (code, theirs));
            let frame = close::payload(ours.0, ours.1);
            assert_eq!(close::parse(&frame), Ok(Some((ours.0, ours.1.to_owned()))));
        }
    }

    // A reason of any length is cut, between characters, and no more than it must be.
    let reason = String::from_utf8_lossy(payload);
    let frame = close::payload(3000, &reason);
    let Ok(Some((3000, cut))) = close::parse(&frame) else { panic!("{frame:?}") };
    assert!(reason.starts_with(&cut) && frame.len() <= 125);
    let next = reason[cut.len()..].chars().next();
    assert!(next.is_none_or(|next| cut.len() + next.len_utf8() > close::MAX_REASON_BYTES));
});
