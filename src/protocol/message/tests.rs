use super::*;

/// What a stream said, in a form that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
    Broke(Violation),
}

const LIMIT: usize = 300_000;

fn said(incoming: Incoming<'_>) -> Said {
    match incoming {
        Incoming::Text(text) => Said::Text(String::from_utf8(text.to_vec()).unwrap()),
        Incoming::Binary(bytes) => Said::Binary(bytes.to_vec()),
        Incoming::Ping(payload) => Said::Ping(payload.to_vec()),
        Incoming::Pong(payload) => Said::Pong(payload.to_vec()),
        Incoming::Close(said) => Said::Close(said),
    }
}

fn drain(reader: &mut MessageReader, mut input: &[u8], log: &mut Vec<Said>) {
    loop {
        match reader.next(&mut input) {
            Ok(Some(incoming)) => log.push(said(incoming)),
            Ok(None) => break assert!(input.is_empty()),
            Err(violation) => log.push(Said::Broke(violation)),
        }
    }
}

fn in_parts<'a>(limit: usize, parts: impl Iterator<Item = &'a [u8]>) -> Vec<Said> {
    let (mut reader, mut log) = (MessageReader::new(limit, None), Vec::new());
    parts.for_each(|part| drain(&mut reader, part, &mut log));
    log
}

fn whole_stream(stream: &[u8]) -> Vec<Said> {
    in_parts(LIMIT, [stream].into_iter())
}

/// As a socket does it: into the message where there is a target, through a small buffer otherwise.
fn direct(stream: &[u8], chunk: usize) -> Vec<Said> {
    let (mut reader, mut log, mut rest) = (MessageReader::new(LIMIT, None), Vec::new(), stream);
    while !rest.is_empty() {
        let mut part = &rest[..chunk.min(rest.len())];
        let target = reader.body_target().map(|(body, room)| {
            assert!(room > 0 && body.capacity() - body.len() >= room);
            part = &part[..room.min(part.len())];
            body.extend_from_slice(part);
        });
        rest = &rest[part.len()..];
        if target.is_some() {
            if let Err(violation) = reader.body_filled(part.len()) {
                log.push(Said::Broke(violation));
            }
            part = &[];
        }
        drain(&mut reader, part, &mut log);
    }
    log
}

/// A frame as a server sends it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..126 => bytes.push(length as u8),
        length @ 126..65_536 => {
            bytes.push(126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}

fn frames(list: &[(u8, &[u8])]) -> Vec<u8> {
    list.iter().flat_map(|(first, payload)| frame(*first, payload)).collect()
}

fn broke(stream: &[u8]) -> Violation {
    match whole_stream(stream).last() {
        Some(Said::Broke(violation)) => *violation,
        other => panic!("{other:?} for {stream:?}"),
    }
}

fn is_protocol_error(list: &[(u8, &[u8])]) -> bool {
    matches!(broke(&frames(list)), Violation::Protocol(_))
}

/// Streams with every rule in them; each ends in silence, in a close or in a violation.
fn streams() -> Vec<Vec<u8>> {
    let text = "héllo 再见 🎉 and more";
    let split = |at: usize| text.as_bytes().split_at(at);
    let mut streams = vec![
        frames(&[
            (0x81, b"a"),
            (0x82, b""),
            (0x81, b""),
            (0x82, &[0xff; 125]),
            (0x89, b"p"),
            (0x81, text.as_bytes()),
        ]),
        frames(&[(0x01, b"a"), (0x89, b"ping"), (0x00, b""), (0x8a, b""), (0x80, b"b"), (0x82, b"c")]),
        frames(&[(0x82, &[7; 126]), (0x82, &[8; 300]), (0x81, &[b'x'; 127]), (0x88, b"")]),
        frames(&[(0x02, &[0xff; 130]), (0x00, &[0xfe; 5]), (0x80, &[0xfd; 126]), (0x88, &[3, 232])]),
        frames(&[(0x88, b"\x03\xe8bye"), (0x81, b"after"), (0xff, b"nonsense")]),
        frames(&[(0x01, b"a"), (0x88, b"\x0f\xa0\xe5\x86\x8d"), (0x80, b"b")]),
        frames(&[(0x89, &[1; 125]), (0x8a, &[2; 125]), (0x88, &[3]), (0x81, b"a")]),
        frames(&[(0x88, b"\x03\xe8\xff")]),
        frames(&[(0x88, &[0x03, 0xed])]),
        frames(&[(0x81, b"a"), (0x81, b"ab\xff"), (0x81, b"b")]),
        frames(&[(0x81, b"ab\xe5\x86")]),
        frames(&[(0x01, b"ab\xe5"), (0x00, b"\x86"), (0x80, b"")]),
        frames(&[(0x01, b"ab\xe5"), (0x00, b""), (0x00, b"\x86"), (0x89, b"x"), (0x80, b"\x8d")]),
        frames(&[(0x01, b"ab\xe5"), (0x00, b"a"), (0x80, b"\xff")]),
        frames(&[(0x01, b"\xed\xa0"), (0xf0, b"")]),
        frames(&[(0x81, b"a"), (0x83, b"")]),
        frames(&[(0x81, b"a"), (0x80, b"")]),
        frames(&[(0x01, b"a"), (0x81, b"")]),
        frames(&[(0x81, b"a"), (0xc1, b"abc")]),
        frames(&[(0x81, b"a"), (0x09, b"abc")]),
        frames(&[(0x81, b"a"), (0x89, &[0; 126])]),
        vec![0x81, 1, b'a', 0x81, 0x81, 1, 2, 3, 4, 5],
        vec![0x81, 126, 0, 1, b'a'],
        vec![0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 1],
        vec![0x82, 127, 0x40, 0, 0, 0, 0, 0, 0, 0, 1],
        frames(&[(0x02, &[1; 200]), (0x80, &vec![2; LIMIT - 199])]).into_iter().take(500).collect(),
    ];
    for at in 0..=text.len() {
        let (start, end) = split(at);
        streams.push(frames(&[(0x01, start), (0x89, b"x"), (0x80, end)]));
    }
    streams
}

#[test]
fn every_split_gives_the_same() {
    for stream in streams() {
        let expected = whole_stream(&stream);
        assert_eq!(in_parts(LIMIT, stream.chunks(1)), expected, "{stream:?}");
        for at in 0..=stream.len() {
            let (start, end) = stream.split_at(at);
            assert_eq!(in_parts(LIMIT, [start, end].into_iter()), expected, "{stream:?} at {at}");
        }
        for chunk in 2..20 {
            assert_eq!(in_parts(LIMIT, stream.chunks(chunk)), expected, "{stream:?} by {chunk}");
        }
    }
}

#[test]
fn what_the_streams_say() {
    let said: Vec<_> = streams().iter().map(|stream| whole_stream(stream)).collect();
    let text = Said::Text("héllo 再见 🎉 and more".into());
    let ping = Said::Ping(b"x".to_vec());
    assert_eq!(said[0][4..], [Said::Ping(b"p".to_vec()), text.clone()]);
    assert_eq!(
        said[1],
        [
            Said::Ping(b"ping".to_vec()),
            Said::Pong(Vec::new()),
            Said::Text("ab".into()),
            Said::Binary(b"c".to_vec())
        ]
    );
    assert_eq!(said[2][3], Said::Close(None));
    assert_eq!(said[3][0], Said::Binary([&[0xff; 130][..], &[0xfe; 5], &[0xfd; 126]].concat()));
    assert_eq!(said[3][1], Said::Close(Some((1000, String::new()))));
    assert_eq!(said[4], [Said::Close(Some((1000, "bye".into())))]);
    assert_eq!(said[5], [Said::Close(Some((4000, "再".into())))]);
    for (index, violation) in [(7, Violation::Utf8), (9, Violation::Utf8), (10, Violation::Utf8)] {
        assert_eq!(said[index].last(), Some(&Said::Broke(violation)), "{index}");
    }
    assert_eq!(said[9].len(), 2);
    assert_eq!(said[12], [ping.clone(), Said::Text("ab再".into())]);
    assert_eq!(said[24], [Said::Broke(Violation::TooBig)]);
    assert_eq!(said[25], [Said::Broke(Violation::TooBig)]);
    for log in &said[26..] {
        assert_eq!(log[..], [ping.clone(), text.clone()]);
    }
}

#[test]
fn rules() {
    assert_eq!(Violation::Protocol("").close_code(), 1002);
    assert_eq!(Violation::Utf8.close_code(), 1007);
    assert_eq!(Violation::TooBig.close_code(), 1009);
    assert!(is_protocol_error(&[(0x80, b"")]), "continuation of nothing");
    assert!(is_protocol_error(&[(0x01, b""), (0x80, b""), (0x80, b"")]), "continuation after the end");
    assert!(is_protocol_error(&[(0x01, b""), (0x82, b"")]), "message within a message");
    assert!(is_protocol_error(&[(0x01, b""), (0x02, b"")]), "message within a message");
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        assert!(is_protocol_error(&[(0x80 | opcode, b"")]), "opcode {opcode}");
    }
    for bits in [0x10, 0x20, 0x40, 0x70] {
        for opcode in [1, 2, 8, 9, 10] {
            assert!(is_protocol_error(&[(0x80 | bits | opcode, b"")]), "bits {bits:x} of {opcode}");
        }
        assert!(is_protocol_error(&[(0x01, b""), (0x80 | bits, b"")]), "bits {bits:x}");
    }
    for opcode in [8, 9, 10] {
        assert!(is_protocol_error(&[(opcode, b"")]), "fragmented {opcode}");
        assert!(is_protocol_error(&[(0x80 | opcode, &[0; 126])]), "long {opcode}");
    }
    for first in [0x81, 0x82, 0x88, 0x89, 0x8a] {
        assert!(matches!(broke(&[first, 0x80, 1, 2, 3, 4]), Violation::Protocol(_)), "masked");
    }
    assert!(is_protocol_error(&[(0x88, &[3])]));
    assert!(is_protocol_error(&[(0x88, &[0, 0])]));
    assert_eq!(broke(&frame(0x88, &[3, 232, 0xc0])), Violation::Utf8);
}

#[test]
fn a_bad_head_fails_at_its_second_byte() {
    for start in [[0xc1, 127], [0x81, 0xff], [0x83, 126], [0x89, 126], [0x09, 0], [0x80, 127]] {
        assert!(matches!(broke(&start), Violation::Protocol(_)), "{start:?}");
        let parts = in_parts(LIMIT, start.chunks(1));
        assert!(matches!(parts[..], [Said::Broke(Violation::Protocol(_))]), "{start:?}");
    }
}

#[test]
fn nothing_comes_after_an_end() {
    for end in [frame(0x88, b""), vec![0xff, 0xff]] {
        let (mut reader, mut log) = (MessageReader::new(LIMIT, None), Vec::new());
        drain(&mut reader, &frame(0x01, b"held"), &mut log);
        assert_eq!((reader.stage, reader.body.len()), (Stage::Head, 4));
        drain(&mut reader, &end, &mut log);
        assert_eq!(log.len(), 1);
        assert_eq!((reader.stage, reader.body.len()), (Stage::Ended, 0));
        assert!(reader.body_target().is_none());
        drain(&mut reader, &frame(0x81, b"more"), &mut log);
        drain(&mut reader, &[0xff; 5], &mut log);
        assert_eq!(log.len(), 1);
    }
}

#[test]
fn whole_messages_are_borrowed() {
    let stream = frames(&[(0x81, b"small"), (0x82, &[1; 126]), (0x81, &vec![b'x'; 70_000]), (0x82, b"")]);
    let mut reader = MessageReader::new(LIMIT, None);
    let mut input = &stream[..];
    for _ in 0..4 {
        match reader.next(&mut input).unwrap() {
            Some(Incoming::Text(payload) | Incoming::Binary(payload)) => {
                assert!(matches!(payload, Payload::Borrowed(_)));
            }
            other => panic!("{other:?}"),
        }
        assert!(reader.stage == Stage::Idle);
    }
    assert_eq!(reader.body.capacity(), 0);
}

#[test]
fn text_fails_as_soon_as_it_is_certain() {
    for bad in [
        &b"\xff"[..],
        b"\xc0",
        b"\xed\xa0",
        b"\xe0\x80",
        b"\xf4\x90",
        b"\xf0\x80",
        b"\xf5",
        b"\xe5a",
        b"\x80",
    ] {
        let mut stream = vec![0x81, 100];
        stream.extend_from_slice("再".as_bytes());
        stream.extend_from_slice(bad);
        assert_eq!(broke(&stream), Violation::Utf8, "{bad:?}");
        let all_but_one = &stream[..stream.len() - 1];
        assert_eq!(whole_stream(all_but_one), [], "{bad:?}");
        assert_eq!(in_parts(LIMIT, stream.chunks(1)), [Said::Broke(Violation::Utf8)]);
    }
}

#[test]
fn the_limit() {
    let at = |limit, stream: &[u8]| in_parts(limit, [stream].into_iter());
    for size in [0, 1, 125, 126, 70_000] {
        let message = vec![5; size];
        assert_eq!(at(size, &frame(0x82, &message)), [Said::Binary(message.clone())]);
        assert_eq!(at(size, &frames(&[(0x02, &message), (0x80, b"")])), [Said::Binary(message.clone())]);
        let over = frame(0x82, &vec![5; size + 1]);
        assert_eq!(at(size, &over), [Said::Broke(Violation::TooBig)]);
        // The sum of fragments, from the last one's head alone.
        let over = frames(&[(0x02, &message), (0x80, b"a")]);
        assert_eq!(at(size, &over[..over.len() - 1]), [Said::Broke(Violation::TooBig)]);
    }
    // Control frames are no messages.
    assert_eq!(at(0, &frame(0x89, b"ping")), [Said::Ping(b"ping".to_vec())]);
}

#[test]
fn memory_follows_what_has_come() {
    let huge = [&[0x82, 127][..], &(1u64 << 62).to_be_bytes()].concat();
    assert_eq!(broke(&huge), Violation::TooBig);
    let mut reader = MessageReader::new(usize::MAX, None);
    drain(&mut reader, &huge, &mut Vec::new());
    drain(&mut reader, b"abc", &mut Vec::new());
    assert!(reader.body.capacity() <= AHEAD_BYTES);
    let (body, room) = reader.body_target().unwrap();
    assert_eq!(body.len() + room, AHEAD_BYTES);

    for fragment in [1, 100, 5_000, 200_000] {
        let (mut reader, mut come) = (MessageReader::new(usize::MAX, None), 0);
        let mut first = 0x02;
        while come < 400_000 {
            for part in frame(first, &vec![0; fragment]).chunks(1_000) {
                drain(&mut reader, part, &mut Vec::new());
                let held = reader.body.len();
                assert!(reader.body.capacity() <= AHEAD_BYTES.max(2 * held), "{held} of {fragment}");
            }
            come += fragment;
            first = 0x00;
        }
        assert_eq!(reader.body.len(), come);
    }
}

#[test]
fn a_message_grows_few_times_and_ends_exact() {
    let stream = frame(0x82, &vec![1; LIMIT]);
    let mut reader = MessageReader::new(LIMIT, None);
    let (mut capacities, mut rest) = (std::collections::BTreeSet::new(), &stream[..]);
    while !rest.is_empty() {
        let (mut part, after) = rest.split_at(1_500.min(rest.len()));
        rest = after;
        if let Some(Incoming::Binary(Payload::Owned(message))) = reader.next(&mut part).unwrap() {
            assert_eq!((message.len(), message.capacity()), (LIMIT, LIMIT));
        }
        capacities.insert(reader.body.capacity());
    }
    assert!(reader.stage == Stage::Idle && capacities.len() <= 6, "{capacities:?}");
}

#[test]
fn reading_into_the_target() {
    let text = "再见".repeat(10_000);
    let stream = frames(&[
        (0x81, b"a"),
        (0x82, &vec![7; LIMIT]),
        (0x89, b"p"),
        (0x81, text.as_bytes()),
        (0x01, &text.as_bytes()[..50_000]),
        (0x80, &text.as_bytes()[50_000..]),
        (0x82, b"z"),
    ]);
    let expected = whole_stream(&stream);
    assert_eq!(expected.len(), 6);
    for chunk in [1, 3, 100, 4_096, 5_001, 65_536, usize::MAX] {
        assert_eq!(direct(&stream, chunk), expected, "{chunk}");
    }
    let mut bad = frame(0x81, text.as_bytes());
    bad[30_000] = 0xff;
    for chunk in [1, 100, 5_001, usize::MAX] {
        assert_eq!(direct(&bad, chunk), [Said::Broke(Violation::Utf8)], "{chunk}");
    }
}

#[test]
fn a_target_only_for_much() {
    let mut reader = MessageReader::new(LIMIT, None);
    let stream = frame(0x82, &[1; DIRECT_BYTES + 1]);
    let mut feed = |bytes: &[u8]| {
        drain(&mut reader, bytes, &mut Vec::new());
        reader.body_target().map(|(_, room)| room)
    };
    assert_eq!(feed(&[]), None);
    assert_eq!(feed(&stream[..3]), None);
    assert_eq!(feed(&stream[3..5]), Some(DIRECT_BYTES));
    assert_eq!(feed(&stream[5..6]), None);
}

mod compressed;
