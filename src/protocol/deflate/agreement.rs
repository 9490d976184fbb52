//! What the client offers, and whether the server's answer fits.

/// The offer: the window of our compressor may be bounded, everything else is the server's to choose.
pub const OFFER: &str = "permessage-deflate; client_max_window_bits";

const NAME: &[u8] = b"permessage-deflate";

/// What was agreed on. `client` is what we compress with, `server` what we inflate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    pub client_takeover: bool,
    pub server_takeover: bool,
    /// 8 to 15: the window has two to the power of that many bytes.
    pub client_window_bits: u8,
    pub server_window_bits: u8,
}

impl Default for Agreement {
    fn default() -> Self {
        Self { client_takeover: true, server_takeover: true, client_window_bits: 15, server_window_bits: 15 }
    }
}

/// Judges the values of the response's Sec-WebSocket-Extensions. None: the server wants no compression.
pub fn agree<'a>(
    values: impl Iterator<Item = &'a [u8]>,
    offered: bool,
) -> Result<Option<Agreement>, &'static str> {
    let mut agreed = None;
    // Several fields are one list; empty elements are allowed (RFC 9110, 5.6.1), and some servers send them.
    for extension in values.flat_map(|value| split(value, b',')).filter(|element| !element.is_empty()) {
        let mut parts = split(extension, b';');
        let is_deflate = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(NAME));
        if !is_deflate || !offered {
            return Err("extension not offered");
        }
        if agreed.replace(parameters(parts)?).is_some() {
            return Err("extension accepted twice");
        }
    }
    Ok(agreed)
}

fn parameters<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Result<Agreement, &'static str> {
    let mut agreement = Agreement::default();
    let mut seen = 0_u8;
    for part in parts {
        let (name, value) = match part.iter().position(|byte| *byte == b'=') {
            Some(at) => (part[..at].trim_ascii_end(), Some(unquoted(part[at + 1..].trim_ascii_start()))),
            None => (part, None),
        };
        let bit = match name {
            b"server_no_context_takeover" => 1,
            b"client_no_context_takeover" => 2,
            b"server_max_window_bits" => 4,
            b"client_max_window_bits" => 8,
            _ => return Err("extension parameter not offered"),
        };
        if seen & bit != 0 {
            return Err("extension parameter repeated");
        }
        seen |= bit;
        match (bit, value) {
            (1, None) => agreement.server_takeover = false,
            (2, None) => agreement.client_takeover = false,
            (4, Some(value)) => agreement.server_window_bits = window_bits(value)?,
            (8, Some(value)) => agreement.client_window_bits = window_bits(value)?,
            _ => return Err("bad value of an extension parameter"),
        }
    }
    Ok(agreement)
}

/// 8 to 15, without leading zeros.
fn window_bits(value: &[u8]) -> Result<u8, &'static str> {
    match value {
        [digit @ b'8'..=b'9'] => Ok(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Ok(10 + digit - b'0'),
        _ => Err("bad value of an extension parameter"),
    }
}

/// Elements between separators outside quotes, without space around them.
fn split(list: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    list.split(move |byte| {
        quoted ^= *byte == b'"';
        !quoted && *byte == separator
    })
    .map(<[u8]>::trim_ascii)
}

/// A value may stand in quotes (RFC 6455, 9.1).
fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        bare => bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(value: &str) -> Result<Option<Agreement>, &'static str> {
        agree([value.as_bytes()].into_iter(), true)
    }

    #[test]
    fn none_wanted() {
        for value in ["", " ", ",", " , ,"] {
            assert_eq!(answer(value), Ok(None), "{value:?}");
            assert_eq!(agree([value.as_bytes()].into_iter(), false), Ok(None));
        }
        assert_eq!(agree(std::iter::empty(), true), Ok(None));
    }

    #[test]
    fn all_four_parameters() {
        let agreement = |client_takeover, server_takeover, client_window_bits, server_window_bits| {
            Ok(Some(Agreement { client_takeover, server_takeover, client_window_bits, server_window_bits }))
        };
        for (value, expected) in [
            ("permessage-deflate", agreement(true, true, 15, 15)),
            (" Permessage-Deflate ,", agreement(true, true, 15, 15)),
            ("permessage-deflate; server_no_context_takeover", agreement(true, false, 15, 15)),
            ("permessage-deflate;client_no_context_takeover", agreement(false, true, 15, 15)),
            ("permessage-deflate; server_max_window_bits=8", agreement(true, true, 15, 8)),
            ("permessage-deflate; client_max_window_bits=9", agreement(true, true, 9, 15)),
            ("permessage-deflate; client_max_window_bits = \"10\"", agreement(true, true, 10, 15)),
            (
                "permessage-deflate; client_max_window_bits=15; server_max_window_bits=12; \
                 client_no_context_takeover; server_no_context_takeover",
                agreement(false, false, 15, 12),
            ),
        ] {
            assert_eq!(answer(value), expected, "{value}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (value, why) in [
            ("x-webkit-deflate-frame", "extension not offered"),
            ("permessage-deflate, x", "extension not offered"),
            ("permessage-deflate, permessage-deflate", "extension accepted twice"),
            ("permessage-deflate; mux", "extension parameter not offered"),
            ("permessage-deflate; ", "extension parameter not offered"),
            ("permessage-deflate; Server_no_context_takeover", "extension parameter not offered"),
            (
                "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
                "extension parameter repeated",
            ),
        ] {
            assert_eq!(answer(value), Err(why), "{value}");
        }
        for bad in ["", "=", "=7", "=16", "=08", "=1", "=1x", "=\"9", "=9 9", "=-9"] {
            let value = format!("permessage-deflate; client_max_window_bits{bad}");
            assert_eq!(answer(&value), Err("bad value of an extension parameter"), "{value}");
        }
        let value = "permessage-deflate; client_no_context_takeover=1";
        assert_eq!(answer(value), Err("bad value of an extension parameter"));
        assert_eq!(
            agree([&b"permessage-deflate"[..]].into_iter(), false),
            Err("extension not offered"),
            "nothing was offered"
        );
        let two = [&b"permessage-deflate"[..], b"permessage-deflate"];
        assert_eq!(agree(two.into_iter(), true), Err("extension accepted twice"));
    }
}
