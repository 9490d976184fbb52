use super::super::compressed::STEP_BYTES;
use super::*;
use crate::protocol::deflate::{Agreement, Deflater, Inflater};

fn reader(limit: usize) -> MessageReader {
    MessageReader::new(limit, Some(Inflater::new(&Agreement::default())))
}

/// As a driver does it; how often it paused.
fn feed(reader: &mut MessageReader, mut input: &[u8], log: &mut Vec<Said>) -> usize {
    let mut pauses = 0;
    loop {
        match reader.next(&mut input) {
            Ok(Some(incoming)) => log.push(said(incoming)),
            Ok(None) if reader.is_paused() => pauses += 1,
            Ok(None) => break assert!(input.is_empty()),
            Err(violation) => log.push(Said::Broke(violation)),
        }
    }
    pauses
}

fn packed(messages: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut deflater = Deflater::new(&Agreement::default()).unwrap();
    let pack = |message: &&[u8]| {
        let mut out = Vec::new();
        deflater.add(message, true, &mut out);
        out
    };
    messages.iter().map(pack).collect()
}

#[test]
fn messages_at_every_split() {
    let text = "häufig häufig häufig".repeat(20);
    let parts = packed(&[text.as_bytes(), b"\0\xff\0", b"", b"Hello"]);
    let (first, second) = parts[0].split_at(7);
    let stream = frames(&[
        (0x41, first),
        (0x89, b"between"),
        (0x00, b""),
        (0x80, second),
        (0xc2, &parts[1]),
        (0x81, b"as it is"),
        (0xc1, &parts[2]),
        (0xc1, &parts[3]),
        (0x88, b""),
    ]);
    let expected = vec![
        Said::Ping(b"between".to_vec()),
        Said::Text(text.clone()),
        Said::Binary(b"\0\xff\0".to_vec()),
        Said::Text("as it is".into()),
        Said::Text(String::new()),
        Said::Text("Hello".into()),
        Said::Close(None),
    ];
    for size in 1..stream.len() {
        let (mut reader, mut log) = (reader(LIMIT), Vec::new());
        stream.chunks(size).for_each(|part| {
            feed(&mut reader, part, &mut log);
        });
        assert_eq!(log, expected, "parts of {size}");
    }
}

#[test]
fn a_bomb_costs_no_more_than_the_limit() {
    let bomb = &packed(&[&vec![0; 64 << 20]])[0];
    assert!(bomb.len() < 100_000);
    let (mut reader, mut log) = (reader(LIMIT), Vec::new());
    let mut input = &frame(0xc2, bomb)[..];
    let mut steps = 0;
    let violation = loop {
        let before = reader.body.len();
        match reader.next(&mut input) {
            Ok(None) => assert!(reader.is_paused()),
            Ok(Some(incoming)) => log.push(said(incoming)),
            Err(violation) => break violation,
        }
        steps += 1;
        assert!(reader.body.len() - before <= STEP_BYTES && reader.body.capacity() <= 2 * LIMIT);
    };
    assert_eq!((violation, log), (Violation::TooBig, Vec::new()));
    assert_eq!(steps, LIMIT / STEP_BYTES);
}

#[test]
fn the_limit_is_exact() {
    for (length, fits) in [(LIMIT, true), (LIMIT + 1, false)] {
        let message = vec![7; length];
        let mut log = Vec::new();
        let pauses = feed(&mut reader(LIMIT), &frame(0xc2, &packed(&[&message])[0]), &mut log);
        assert_eq!(pauses, LIMIT / STEP_BYTES);
        assert_eq!(log, [if fits { Said::Binary(message) } else { Said::Broke(Violation::TooBig) }]);
    }
}

#[test]
fn a_claim_far_over_the_limit_is_refused_at_once() {
    let mut log = Vec::new();
    feed(&mut reader(LIMIT), &[0xc2, 127, 0x40, 0, 0, 0, 0, 0, 0, 0], &mut log);
    assert_eq!(log, [Said::Broke(Violation::TooBig)]);
}

#[test]
fn the_bit_stands_only_where_it_may() {
    let hello = &packed(&[b"Hello"])[0];
    for list in [
        &[(0xc9, &b"ping"[..])][..],
        &[(0x41, hello), (0xc0, b"")],
        &[(0xa1, hello)],
        &[(0xd1, hello)],
        &[(0x01, b"a"), (0xc0, hello)],
    ] {
        let mut log = Vec::new();
        feed(&mut reader(LIMIT), &frames(list), &mut log);
        assert!(matches!(log[..], [Said::Broke(Violation::Protocol(_))]), "{list:x?}: {log:?}");
    }
}

#[test]
fn bad_data_and_bad_text_are_told_apart() {
    let bad_text = packed(&[b"\xc3\x28 and so on"]);
    for (payload, expected) in [(&[0xff; 9][..], Violation::Deflate), (&bad_text[0], Violation::Utf8)] {
        let mut log = Vec::new();
        feed(&mut reader(LIMIT), &frame(0xc1, payload), &mut log);
        assert_eq!(log, [Said::Broke(expected)]);
    }
}

#[test]
fn bad_text_fails_before_the_message_ends() {
    let text = [&b"x".repeat(5000)[..], b"\xff", &b"y".repeat(5000)].concat();
    let mut payload = Vec::new();
    let mut deflater = Deflater::new(&Agreement::default()).unwrap();
    deflater.add(&text, true, &mut payload);
    let mut log = Vec::new();
    feed(&mut reader(LIMIT), &frame(0x41, &payload), &mut log);
    assert_eq!(log, [Said::Broke(Violation::Utf8)]);
}
