//! The head of the response: read the same however it comes, nothing lost behind it, nothing in it that could
//! pass for something else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taro_fuzz::input::{Input, Plan};
use taro_fuzz::protocol::response::{Response, ResponseError, ResponseReader};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const MOST_BYTES: usize = 64 * 1024;

/// What every upgrade needs; the fuzzer need not find the hash.
const NEEDED: &[u8] = b"Upgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

fn reader(offers_deflate: bool) -> ResponseReader {
    ResponseReader::new(KEY, vec!["chat".into(), "superchat".into()], offers_deflate)
}

type Outcome = Result<Option<(Response, Vec<u8>)>, ResponseError>;

fn in_parts(mut reader: ResponseReader, mut bytes: &[u8], plan: &mut Plan) -> Outcome {
    while !bytes.is_empty() {
        if let Some((response, mut rest)) = reader.feed(plan.part(&mut bytes))? {
            rest.extend_from_slice(bytes);
            return Ok(Some((response, rest)));
        }
    }
    Ok(None)
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let choices = input.byte();
    let offers_deflate = choices & 1 != 0;
    let mut plan = input.plan();
    let mut bytes = Vec::new();
    if choices & 2 != 0 {
        bytes.extend_from_slice(b"HTTP/1.1 101 Switching Protocols\r\n");
        bytes.extend_from_slice(NEEDED);
    }
    if choices & 4 != 0 {
        let length = input.short();
        let field = [b"A: ", &vec![b'b'; length][..], b"\r\n"].concat();
        bytes.extend_from_slice(&field);
    }
    bytes.extend_from_slice(input.rest());

    let whole = reader(offers_deflate).feed(&bytes);
    assert_eq!(in_parts(reader(offers_deflate), &bytes, &mut plan), whole, "in parts");
    if bytes.len() < 1_024 {
        assert_eq!(in_parts(reader(offers_deflate), &bytes, &mut Plan::of(&[1])), whole, "byte by byte");
    }

    match whole {
        Ok(Some((response, rest))) => {
            let head_len = bytes.len() - rest.len();
            let (head, behind) = bytes.split_at(head_len);
            assert_eq!(behind, rest);
            assert!(head.ends_with(b"\r\n\r\n") && head_len <= MOST_BYTES);
            judge(&response, offers_deflate);

            // Said again from what was understood, it is understood the same.
            let mut again = b"HTTP/1.1 101 x\r\n".to_vec();
            for (name, value) in &response.headers {
                again.extend_from_slice(&[name, &b": "[..], value, b"\r\n"].concat());
            }
            again.extend_from_slice(b"\r\n");
            if again.len() <= MOST_BYTES {
                assert_eq!(reader(offers_deflate).feed(&again), Ok(Some((response, Vec::new()))));
            }
        }
        Ok(None) => assert!(bytes.len() < MOST_BYTES && bytes.iter().zip(b"HTTP/1.1 ").all(|(a, b)| a == b)),
        Err(ResponseError::TooLarge) => assert!(bytes.len() >= 256 * 4),
        Err(ResponseError::Status(status)) => assert!((200..=999).contains(&status)),
        Err(_) => {}
    }
});

fn judge(response: &Response, offers_deflate: bool) {
    assert_eq!(response.status, 101);
    assert!(response.headers.len() <= 256);
    let is_token = |byte: &u8| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(byte);
    let is_text = |byte: &u8| *byte == b'\t' || *byte >= b' ' && *byte != 0x7f;
    let mut once = [("upgrade", 0), ("sec-websocket-accept", 0), ("sec-websocket-protocol", 0)];
    for (name, value) in &response.headers {
        assert!(!name.is_empty() && name.iter().all(is_token), "{name:?}");
        assert!(value.iter().all(is_text), "{value:?}");
        for (known, count) in &mut once {
            *count += usize::from(name.eq_ignore_ascii_case(known.as_bytes()));
        }
    }
    assert_eq!((once[0].1, once[1].1), (1, 1));
    assert!(["", "chat", "superchat"].contains(&response.protocol.as_str()));
    assert_eq!(once[2].1, usize::from(!response.protocol.is_empty()));
    assert_eq!(response.deflate.is_some(), !response.extensions.is_empty());
    assert!(offers_deflate || response.deflate.is_none());
}
