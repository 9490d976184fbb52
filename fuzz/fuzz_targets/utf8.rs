//! Text in fragments: what is text is std's to say, and what is not fails at the first byte that settles it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taro_fuzz::drive::{Kind, Said, direct, feed, in_parts};
use taro_fuzz::input::{Input, Plan, put_frame};
use taro_fuzz::protocol::message::MessageReader;

/// Before the fuzzer's bytes, so that they come where vectors are full or reads go straight into the message.
const LEADS: [usize; 8] = [0, 0, 0, 1, 31, 63, 1_000, 4_095];

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let lead = input.pick(&LEADS);
    let (mut fragments, parts) = (input.plan(), input.plan());
    let text = [&vec![b'a'; lead][..], input.rest()].concat();

    let mut stream = Vec::new();
    let mut rest = &text[..];
    let mut first = 1;
    // Where in the stream each byte of the text is.
    let mut places = Vec::new();
    let mut pings = 0;
    loop {
        // The lead is in the first fragment, or there would be thousands.
        let size = fragments.size().saturating_add(if first == 1 { lead } else { 0 });
        let (fragment, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        let fin = if rest.is_empty() { 0x80 } else { 0 };
        put_frame(&mut stream, first | fin, fragment);
        places.extend(stream.len() - fragment.len()..stream.len());
        if rest.is_empty() {
            break;
        }
        first = 0;
        if fragment.len() % 2 == 1 {
            put_frame(&mut stream, 0x89, b"ping");
            pings += 1;
        }
    }

    let whole = std::str::from_utf8(&text);
    for said in [
        in_parts(MessageReader::new(usize::MAX, None), &stream, &mut parts.clone()),
        in_parts(MessageReader::new(usize::MAX, None), &stream, &mut Plan::of(&[0xff])),
        direct(MessageReader::new(usize::MAX, None), &stream, &mut parts.clone()),
    ] {
        match whole {
            Ok(text) => {
                assert_eq!(said.last(), Some(&Said::Text(text.to_owned())));
                assert_eq!(said.len(), pings + 1);
            }
            Err(_) => assert_eq!(said.last(), Some(&Said::Broke(Kind::Utf8))),
        }
    }

    // The first byte behind which no text can come any more, or the last one.
    let settled = (0..text.len()).find(|at| {
        let start = whole.err().map_or(text.len(), |error| error.valid_up_to());
        *at >= start
            && std::str::from_utf8(&text[start..=*at]).is_err_and(|error| error.error_len().is_some())
    });
    let settled = settled.map(|at| places[at]);
    let mut reader = MessageReader::new(usize::MAX, None);
    let lead = places.get(lead).map_or(0, |place| place - 2);
    for at in lead..stream.len() {
        let mut broke = false;
        let part = if at == lead { &stream[..=at] } else { &stream[at..=at] };
        feed(&mut reader, part, |incoming| broke |= incoming.is_err());
        let is_cut_off = settled.is_none() && whole.is_err() && at + 1 == stream.len();
        if broke {
            assert!(settled == Some(at) || is_cut_off, "at {at}, expected {settled:?}");
            return;
        }
        assert!(settled != Some(at) && !is_cut_off, "nothing at {at}");
    }
});
