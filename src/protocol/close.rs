//! Close codes, close reasons, and the payload of a close frame.

use super::message::Violation;
use super::tungstenite::is_close_code;

pub const NORMAL: u16 = 1000;
pub const GOING_AWAY: u16 = 1001;
pub const PROTOCOL_ERROR: u16 = 1002;
/// Stands for a close frame without a code; never on the wire.
pub const NO_STATUS: u16 = 1005;
/// Stands for an end without a close frame; never on the wire.
pub const ABNORMAL: u16 = 1006;
pub const BAD_PAYLOAD: u16 = 1007;
pub const TOO_BIG: u16 = 1009;

/// Longest reason: the 125 bytes of a control frame without the code.
pub const MAX_REASON_BYTES: usize = 123;

/// What is wrong with the arguments of a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseArgument {
    Code,
    ReasonLength,
    ReasonUtf8,
}

/// Judges what a caller wants to close with.
pub fn check(code: u32, reason: &[u8]) -> Result<(u16, &str), CloseArgument> {
    let code = match code {
        1000 | 3000..=4999 => code as u16,
        _ => return Err(CloseArgument::Code),
    };
    if reason.len() > MAX_REASON_BYTES {
        return Err(CloseArgument::ReasonLength);
    }
    let reason = simdutf8::basic::from_utf8(reason).map_err(|_| CloseArgument::ReasonUtf8)?;
    Ok((code, reason))
}

/// The payload of a close frame. `NO_STATUS` gives the empty one; a reason is cut at 123 bytes.
pub fn payload(code: u16, reason: &str) -> Vec<u8> {
    if code == NO_STATUS {
        return Vec::new();
    }
    let mut end = reason.len().min(MAX_REASON_BYTES);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let mut payload = Vec::with_capacity(2 + end);
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(&reason.as_bytes()[..end]);
    payload
}

/// Reads the payload of a peer's close frame: code and reason, or neither.
pub fn parse(payload: &[u8]) -> Result<Option<(u16, String)>, Violation> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [_] => return Err(Violation::Protocol("close payload of one byte")),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    if !is_close_code(code) {
        return Err(Violation::Protocol("close code not allowed"));
    }
    let reason = simdutf8::basic::from_utf8(reason).map_err(|_| Violation::Utf8)?;
    Ok(Some((code, reason.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_codes() {
        for code in 0..70_000u32 {
            let allowed = code == 1000 || (3000..=4999).contains(&code);
            assert_eq!(check(code, b"").is_ok(), allowed, "{code}");
        }
        assert_eq!(check(1000 + (1 << 16), b""), Err(CloseArgument::Code));
        assert_eq!(check(u32::MAX, b""), Err(CloseArgument::Code));
    }

    #[test]
    fn callers_reasons() {
        assert_eq!(check(3000, "再见".as_bytes()), Ok((3000, "再见")));
        assert!(check(1000, &[b'a'; 123]).is_ok());
        assert_eq!(check(1000, &[b'a'; 124]), Err(CloseArgument::ReasonLength));
        assert_eq!(check(1000, &[0xff]), Err(CloseArgument::ReasonUtf8));
        assert_eq!(check(1000, &[0xff; 124]), Err(CloseArgument::ReasonLength));
        assert_eq!(check(1, &[0xff]), Err(CloseArgument::Code));
    }

    #[test]
    fn payloads_come_back() {
        for (code, reason) in [(1000, ""), (1001, "bye"), (4999, "再见")] {
            assert_eq!(parse(&payload(code, reason)), Ok(Some((code, reason.to_owned()))));
        }
        assert_eq!(payload(NO_STATUS, "ignored"), b"");
        assert_eq!(parse(b""), Ok(None));
    }

    #[test]
    fn long_reasons_are_cut_between_characters() {
        assert_eq!(payload(1000, &"a".repeat(200)).len(), 125);
        // 3 bytes each: 41 of them fill 123, and one byte before shifts the cut.
        assert_eq!(payload(1000, &"再".repeat(60)).len(), 125);
        let cut = payload(1000, &format!("a{}", "再".repeat(60)));
        assert_eq!(cut.len(), 2 + 1 + 40 * 3);
        assert!(parse(&cut).is_ok());
    }

    #[test]
    fn peers_payloads() {
        assert!(matches!(parse(&[3]), Err(Violation::Protocol(_))));
        for code in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
            assert!(matches!(parse(&code.to_be_bytes()), Err(Violation::Protocol(_))), "{code}");
        }
        for code in [1000u16, 1003, 1007, 1014, 3000, 4999] {
            assert_eq!(parse(&code.to_be_bytes()), Ok(Some((code, String::new()))));
        }
        assert_eq!(parse(&[3, 232, 0xed, 0xa0, 0x80]), Err(Violation::Utf8));
        // A bad code is worse than a bad reason.
        assert!(matches!(parse(&[0, 0, 0xff]), Err(Violation::Protocol(_))));
    }
}
