//! Payloads to frames: what a server makes of them by the RFC's words is what went in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taro_fuzz::input::{Input, put_frame};
use taro_fuzz::protocol::frame::{self, Head, Pieces};
use taro_fuzz::protocol::mask;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let mut out = b"before".to_vec();
    let mut expected = Vec::new();
    while !input.is_empty() {
        let choices = input.byte();
        let (fin, opcode) = (choices & 0x80 != 0, choices & 0x4f);
        let mut key = [0; 4];
        let bytes = input.bytes(4);
        key[..bytes.len()].copy_from_slice(bytes);
        let mut payload = match choices & 0x30 {
            0 => input.payload(),
            0x10 => input.payload().repeat(9),
            _ => {
                let length = usize::from(input.byte());
                input.bytes(length).to_vec()
            }
        };
        payload.truncate(70_000);

        let start = out.len();
        frame::encode(&mut out, fin, opcode, &payload, key);
        assert_eq!(out.len() - start, frame::encoded_len(payload.len()));

        // Piece by piece it is the same.
        let most = 32 + usize::from(key[0]) * usize::from(key[1]);
        let mut pieces = Pieces::new(fin, opcode, &payload, key);
        let mut joined = Vec::new();
        loop {
            let before = joined.len();
            let more = pieces.append(&mut joined, most);
            assert!(joined.len() - before <= most && pieces.len() == out.len() - start - joined.len());
            if !more {
                break;
            }
        }
        assert_eq!(joined, out[start..]);

        // What a server would write of it, with the key behind its head, and its bytes masked one by one.
        let mut plain = Vec::new();
        put_frame(&mut plain, u8::from(fin) << 7 | opcode, &payload);
        let head_len = plain.len() - payload.len();
        plain[1] |= 0x80;
        expected.extend_from_slice(&plain[..head_len]);
        expected.extend_from_slice(&key);
        expected.extend(payload.iter().enumerate().map(|(index, byte)| byte ^ key[index % 4]));

        let head = frame::parse_head(&out[start..]);
        let (length, size) = (payload.len() as u64, head_len + 4);
        assert_eq!(
            head,
            Ok(Some(Head { fin, rsv: opcode >> 4, opcode: opcode & 15, masked: true, length, size }))
        );

        // In place, from any alignment.
        let body = &mut out[start + size..];
        mask::apply(body, key);
        assert_eq!(body, payload);
        mask::apply(body, key);
        if out.len() > 200_000 {
            break;
        }
    }
    assert_eq!(out.strip_prefix(b"before"), Some(&expected[..]));
});
