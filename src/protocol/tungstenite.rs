//! What tungstenite knows of RFC 6455, under our names: the one file that names it.

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// The `Sec-WebSocket-Accept` that answers `key`.
pub fn accept_of(key: &str) -> String {
    derive_accept_key(key.as_bytes())
}

/// Whether a peer may put `code` into a close frame.
pub fn is_close_code(code: u16) -> bool {
    // 1014, bad gateway, was registered later and is missing there.
    code == 1014 || CloseCode::from(code).is_allowed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::frame;
    use std::io::Cursor;
    use tokio_tungstenite::tungstenite::protocol::frame::{FrameHeader, coding::OpCode};

    #[test]
    fn accept_is_the_one_of_the_rfc() {
        assert_eq!(accept_of("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn close_codes() {
        let allowed = |code| matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        for code in 0..=u16::MAX {
            assert_eq!(is_close_code(code), allowed(code), "{code}");
        }
    }

    #[test]
    fn opcodes_are_tungstenites() {
        use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data};
        for (ours, theirs) in [
            (frame::CONTINUATION, OpCode::Data(Data::Continue)),
            (frame::TEXT, OpCode::Data(Data::Text)),
            (frame::BINARY, OpCode::Data(Data::Binary)),
            (frame::CLOSE, OpCode::Control(Control::Close)),
            (frame::PING, OpCode::Control(Control::Ping)),
            (frame::PONG, OpCode::Control(Control::Pong)),
        ] {
            assert_eq!(ours, u8::from(theirs));
        }
    }

    #[test]
    fn heads_are_read_as_by_tungstenite() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            for opcode in [frame::TEXT, frame::BINARY, frame::PING] {
                let mut bytes = Vec::new();
                frame::encode(&mut bytes, true, opcode, &vec![7; length], [1, 2, 3, 4]);
                let mut cursor = Cursor::new(&bytes[..]);
                let (theirs, claimed) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
                let ours = frame::parse_head(&bytes).unwrap().unwrap();
                assert_eq!(ours.length, claimed);
                assert_eq!(ours.size as u64, cursor.position());
                assert_eq!(ours.fin, theirs.is_final);
                assert_eq!(ours.opcode, u8::from(theirs.opcode));
                assert_eq!(theirs.mask, Some([1, 2, 3, 4]));
            }
        }
    }
}
