//! The upgrade request: what an app may put into it, and its bytes.

use super::url::Target;
use base64::Engine as _;

/// One header field of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub value: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldError {
    Name,
    Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    NotToken,
    Repeated,
}

/// The bytes to send, and the key that `response::ResponseReader` checks the answer with.
#[derive(Clone, Debug)]
pub struct Request {
    pub key: String,
    pub bytes: Vec<u8>,
}

/// A token of RFC 9110.
fn is_token(bytes: &[u8]) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(is_tchar)
}

/// Judges one field. Bytes from 0x80 up are fine in a value, and so is space around it.
pub fn check_field(name: &[u8], value: &[u8]) -> Result<(), FieldError> {
    if !is_token(name) {
        return Err(FieldError::Name);
    }
    if value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err(FieldError::Value);
    }
    Ok(())
}

/// Whether a field belongs to the handshake or the host, so that an app's is left out.
pub fn is_reserved(name: &str) -> bool {
    const NAMES: [&str; 5] = ["referer", "host", "connection", "upgrade", "content-length"];
    const PREFIX: &[u8] = b"sec-websocket-";
    let start = name.as_bytes().get(..PREFIX.len());
    NAMES.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
        || start.is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// Judges offered subprotocols: tokens, none twice. Case counts.
pub fn check_protocols<'a>(protocols: impl Iterator<Item = &'a [u8]>) -> Result<(), ProtocolError> {
    let mut seen = std::collections::HashSet::new();
    for protocol in protocols {
        if !is_token(protocol) {
            return Err(ProtocolError::NotToken);
        }
        if !seen.insert(protocol) {
            return Err(ProtocolError::Repeated);
        }
    }
    Ok(())
}

/// Writes the request. Fields, protocols and referer have passed the checks above; reserved fields
/// are left out here, so that no caller can forget it.
pub fn encode(
    target: &Target,
    fields: &[Field],
    protocols: &[String],
    referer: Option<&str>,
    extensions: Option<&str>,
) -> Result<Request, getrandom::Error> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce)?;
    let key = base64::engine::general_purpose::STANDARD.encode(nonce);

    let mut bytes = Vec::with_capacity(512);
    let mut put = |parts: &[&[u8]]| parts.iter().for_each(|part| bytes.extend_from_slice(part));
    put(&[b"GET ", target.path_and_query.as_bytes(), b" HTTP/1.1\r\nHost: ", target.authority.as_bytes()]);
    put(&[b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ", key.as_bytes()]);
    put(&[b"\r\nSec-WebSocket-Version: 13\r\n"]);
    if !protocols.is_empty() {
        put(&[b"Sec-WebSocket-Protocol: ", protocols.join(", ").as_bytes(), b"\r\n"]);
    }
    if let Some(extensions) = extensions {
        put(&[b"Sec-WebSocket-Extensions: ", extensions.as_bytes(), b"\r\n"]);
    }
    if let Some(referer) = referer {
        put(&[b"Referer: ", referer.as_bytes(), b"\r\n"]);
    }
    let authorized = fields.iter().any(|field| field.name.eq_ignore_ascii_case("authorization"));
    if let (Some(authorization), false) = (&target.authorization, authorized) {
        put(&[b"Authorization: ", authorization.as_bytes(), b"\r\n"]);
    }
    for field in fields.iter().filter(|field| !is_reserved(&field.name)) {
        debug_assert_eq!(check_field(field.name.as_bytes(), &field.value), Ok(()));
        put(&[field.name.as_bytes(), b": ", field.value.trim_ascii(), b"\r\n"]);
    }
    put(&[b"\r\n"]);
    Ok(Request { key, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::url;

    fn field(name: &str, value: &str) -> Field {
        Field { name: name.into(), value: value.into() }
    }

    fn lines(url: &str, fields: &[Field], protocols: &[&str], referer: Option<&str>) -> Vec<String> {
        let protocols: Vec<_> = protocols.iter().map(|protocol| protocol.to_string()).collect();
        let request = encode(&url::parse(url).unwrap(), fields, &protocols, referer, None).unwrap();
        let text = String::from_utf8(request.bytes).unwrap().replace(&request.key, "<key>");
        assert!(text.ends_with("\r\n\r\n"));
        text.trim_end().split("\r\n").map(str::to_owned).collect()
    }

    const START: [&str; 6] = [
        "GET /p?q HTTP/1.1",
        "Host: h:81",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: <key>",
        "Sec-WebSocket-Version: 13",
    ];

    #[test]
    fn bare() {
        assert_eq!(lines("ws://h:81/p?q", &[], &[], None), START);
    }

    #[test]
    fn everything_in_order_case_and_number() {
        let fields = [
            field("X-Two", " b "),
            field("x-ONE", "a"),
            field("X-Two", "\tc"),
            field("X-Empty", "  "),
            field("Cookie", "a=1; b=2"),
        ];
        let mut expected = START.map(str::to_owned).to_vec();
        for line in [
            "Sec-WebSocket-Protocol: chat, Chat.v2",
            "Referer: https://servicewechat.com/x/0/page-frame.html",
            "Authorization: Basic dXNlcjo=",
            "X-Two: b",
            "x-ONE: a",
            "X-Two: c",
            "X-Empty: ",
            "Cookie: a=1; b=2",
        ] {
            expected.push(line.to_owned());
        }
        let referer = Some("https://servicewechat.com/x/0/page-frame.html");
        assert_eq!(lines("ws://user@h:81/p?q", &fields, &["chat", "Chat.v2"], referer), expected);
    }

    #[test]
    fn an_authorization_of_the_app_wins() {
        let lines = lines("ws://user@h:81/p?q", &[field("aUthorization", "Bearer t")], &[], None);
        assert_eq!(lines[START.len()..], ["aUthorization: Bearer t"]);
    }

    #[test]
    fn reserved_fields_are_left_out() {
        let names = [
            "Referer",
            "HOST",
            "connection",
            "uPgrade",
            "Content-Length",
            "Sec-WebSocket-Key",
            "sec-websocket-extensions",
            "SEC-WEBSOCKET-ANYTHING",
        ];
        let fields: Vec<_> = names.iter().map(|name| field(name, "x")).collect();
        assert_eq!(lines("ws://h:81/p?q", &fields, &[], None), START);
        for name in ["Referrer", "Hostess", "Sec-WebSocket", "X-Host", "Transfer-Encoding", "Origin", "é"] {
            assert!(!is_reserved(name), "{name}");
        }
    }

    #[test]
    fn extensions_and_bytes() {
        let target = url::parse("ws://h/").unwrap();
        let fields = [Field { name: "X".into(), value: vec![0xff, b' ', 0x80] }];
        let request = encode(&target, &fields, &[], None, Some("permessage-deflate")).unwrap();
        let end = b"Sec-WebSocket-Extensions: permessage-deflate\r\nX: \xff \x80\r\n\r\n";
        assert!(request.bytes.ends_with(end));
    }

    #[test]
    fn keys_are_sixteen_random_bytes() {
        let target = url::parse("ws://h/").unwrap();
        let keys: std::collections::HashSet<_> =
            (0..100).map(|_| encode(&target, &[], &[], None, None).unwrap().key).collect();
        assert_eq!(keys.len(), 100);
        for key in keys {
            assert_eq!(base64::engine::general_purpose::STANDARD.decode(key).unwrap().len(), 16);
        }
    }

    #[test]
    fn field_names_and_values() {
        for byte in 0..=255u8 {
            let separator = b"\"(),/:;<=>?@[\\]{}".contains(&byte);
            let name = (0x21..0x7f).contains(&byte) && !separator;
            assert_eq!(check_field(&[b'a', byte], b"").is_ok(), name, "{byte}");
            let value = byte == b'\t' || (byte >= 0x20 && byte != 0x7f);
            assert_eq!(check_field(b"a", &[byte]).is_ok(), value, "{byte}");
        }
        assert_eq!(check_field(b"", b"x"), Err(FieldError::Name));
        assert_eq!(check_field(b"a", b"x\r\ny: z"), Err(FieldError::Value));
        assert_eq!(check_field(b"a", b" x "), Ok(()));
    }

    #[test]
    fn protocols() {
        let check = |list: &[&str]| check_protocols(list.iter().map(|text| text.as_bytes()));
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&["a", "A", "b"]), Ok(()));
        assert_eq!(check(&["a", "b", "a"]), Err(ProtocolError::Repeated));
        for bad in ["", " ", "a b", "a,b", "a\u{e9}", "a\n"] {
            assert_eq!(check(&["x", bad]), Err(ProtocolError::NotToken), "{bad:?}");
        }
    }
}
