use super::*;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
const START: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";

type Outcome = Result<Option<(Response, Vec<u8>)>, ResponseError>;

fn reader() -> ResponseReader {
    ResponseReader::new(KEY, vec!["chat".into(), "superchat".into()], false)
}

fn feed(bytes: impl AsRef<[u8]>) -> Outcome {
    reader().feed(bytes.as_ref())
}

/// A good response with `more` header lines.
fn with(more: &str) -> String {
    format!("{START}{ACCEPT}{more}\r\n")
}

fn opened(text: &str) -> Response {
    feed(text).unwrap().unwrap().0
}

fn is_refused(text: &str) -> bool {
    matches!(feed(text), Err(ResponseError::Upgrade(_)))
}

fn is_malformed(text: &str) -> bool {
    matches!(feed(text), Err(ResponseError::Malformed(_)))
}

/// The answer to `bytes` in parts that end at `ends`; what is left over goes into the rest.
fn in_parts(bytes: &[u8], ends: impl Iterator<Item = usize>) -> Outcome {
    let (mut reader, mut start) = (reader(), 0);
    for end in ends.chain([bytes.len()]) {
        match reader.feed(&bytes[start..end]) {
            Ok(Some((response, mut rest))) => {
                rest.extend_from_slice(&bytes[end..]);
                return Ok(Some((response, rest)));
            }
            Ok(None) => start = end,
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

#[test]
fn a_response_and_the_first_frames() {
    let (response, rest) =
        feed(with("Sec-WebSocket-Protocol: superchat\r\n") + "\x01\r\n\r\n").unwrap().unwrap();
    assert_eq!(response.status, 101);
    assert_eq!(response.protocol, "superchat");
    assert_eq!(response.extensions, "");
    assert_eq!(rest, b"\x01\r\n\r\n");
}

#[test]
fn order_case_and_number_are_kept() {
    let response =
        opened(&with("sEt-cookie: a=1\r\nX: é\t b \r\nSet-Cookie:b=2\r\nsEt-cookie: a=1\r\nE:\r\n"));
    let headers: Vec<_> = response.headers[3..]
        .iter()
        .map(|(name, value)| (std::str::from_utf8(name).unwrap(), std::str::from_utf8(value).unwrap()))
        .collect();
    assert_eq!(
        headers,
        [("sEt-cookie", "a=1"), ("X", "\u{e9}\t b"), ("Set-Cookie", "b=2"), ("sEt-cookie", "a=1"), ("E", "")]
    );
    assert_eq!(response.headers[0], (b"Upgrade".to_vec(), b"websocket".to_vec()));
}

#[test]
fn every_split_gives_the_same() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    let streams = [
        with("Sec-WebSocket-Protocol: chat\r\nX: y\r\n") + "\u{1}frames\n\n\r\n\r\n",
        format!("{interim}{}frames", with("")),
        with("").replace("\r\n", "\n") + "\n\nframes",
        with("Sec-WebSocket-Extensions: x\r\n"),
        "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
        "HTTP/1.0 101 Switching Protocols\r\n\r\n".to_owned(),
        "\r\n\r\n".to_owned(),
        with("").replace("Connection", "Connectio"),
    ];
    for stream in streams {
        let bytes = stream.as_bytes();
        let whole = feed(bytes);
        assert!(!matches!(whole, Ok(None)), "{stream}");
        assert_eq!(in_parts(bytes, 0..bytes.len()), whole, "{stream}");
        for end in 0..bytes.len() {
            assert_eq!(in_parts(bytes, [end].into_iter()), whole, "{stream} at {end}");
        }
    }
}

#[test]
fn no_outcome_before_the_head_ends() {
    for stream in [with("X: y\r\n"), "HTTP/1.1 500 Oops\r\nA: b\r\n\r\n".into()] {
        for end in 0..stream.len() {
            assert_eq!(feed(&stream[..end]), Ok(None));
        }
        assert_ne!(feed(&stream), Ok(None));
    }
}

#[test]
fn a_drip_costs_no_more_than_its_bytes() {
    let mut reader = reader();
    let head = with(&"X-Field: some value of a field\r\n".repeat(200));
    for byte in &head.as_bytes()[..head.len() - 1] {
        assert_eq!(reader.feed(&[*byte]), Ok(None));
        assert_eq!(reader.scanned, reader.bytes.len());
    }
    assert!(reader.feed(b"\n").unwrap().is_some());
}

#[test]
fn upgrade() {
    let with = |value: &str| with("").replace("Upgrade: websocket\r\n", value);
    assert!(feed(with("uPGRADE: WebSocket\r\n")).is_ok());
    assert!(is_refused(&with("")));
    assert!(is_refused(&with("Upgrade: h2c\r\n")));
    assert!(is_refused(&with("Upgrade: websocket2\r\n")));
    assert!(is_refused(&with("Upgrade: websocket\r\nUpgrade: websocket\r\n")));
}

#[test]
fn connection() {
    let with = |value: &str| with("").replace("Connection: Upgrade\r\n", value);
    for good in [
        "connection: UPGRADE\r\n",
        "Connection: keep-alive, Upgrade\r\n",
        "Connection: Upgrade,keep-alive\r\n",
        "Connection: ,,\tupgrade ,\r\n",
        "Connection: keep-alive\r\nConnection: upgrade\r\n",
    ] {
        assert!(feed(with(good)).is_ok(), "{good}");
    }
    for bad in ["", "Connection: close\r\n", "Connection: upgraded\r\n", "Connection: keep-alive Upgrade\r\n"]
    {
        assert!(is_refused(&with(bad)), "{bad}");
    }
}

#[test]
fn accept() {
    let with = |value: &str| with("").replace(ACCEPT, value);
    assert!(feed(with(&ACCEPT.replace("Accept", "ACCEPT"))).is_ok());
    assert!(is_refused(&with("")));
    assert!(is_refused(&with("Sec-WebSocket-Accept: \r\n")));
    assert!(is_refused(&with(&ACCEPT.to_lowercase())));
    assert!(is_refused(&with(&ACCEPT.replace("s3p", "s3q"))));
    assert!(is_refused(&with(&ACCEPT.repeat(2))));
}

#[test]
fn protocol() {
    let with = |value: &str| with(&format!("Sec-WebSocket-Protocol: {value}\r\n"));
    assert_eq!(opened(&with("chat")).protocol, "chat");
    assert_eq!(opened(&self::with("")).protocol, "");
    for bad in ["Chat", "other", "", "chat, superchat", "chat\r\nSec-WebSocket-Protocol: chat"] {
        assert!(is_refused(&with(bad)), "{bad}");
    }
    let none_offered = ResponseReader::new(KEY, Vec::new(), false).feed(with("chat").as_bytes());
    assert!(matches!(none_offered, Err(ResponseError::Upgrade(_))));
}

#[test]
fn extensions() {
    let with = |value: &str| with(&format!("Sec-WebSocket-Extensions: {value}\r\n"));
    assert!(is_refused(&with("permessage-deflate")));
    assert!(is_refused(&with("\r\nSec-WebSocket-Extensions: x")));
    assert_eq!(opened(&with(" , ")).extensions, "");
}

#[test]
fn other_statuses() {
    for status in [101u16, 200, 301, 302, 401, 403, 426, 500, 503, 999] {
        let outcome = feed(format!("HTTP/1.1 {status} Text\r\nLocation: ws://h\r\n\r\nbody"));
        match status {
            101 => assert!(matches!(outcome, Err(ResponseError::Upgrade(_)))),
            _ => assert_eq!(outcome, Err(ResponseError::Status(status))),
        }
    }
    assert_eq!(feed("HTTP/1.1 404\r\n\r\n"), Err(ResponseError::Status(404)));
}

#[test]
fn interim_responses_are_skipped_within_the_limit() {
    for status in (100..200).filter(|status| *status != 101) {
        assert_eq!(opened(&(format!("HTTP/1.1 {status} x\r\nA: b\r\n\r\n") + &with(""))).headers.len(), 3);
    }
    let interim = "HTTP/1.1 100 Continue\r\nA: b\r\n\r\n";
    assert_eq!(opened(&(interim.repeat(1000) + &with(""))).headers.len(), 3);
    assert_eq!(feed(interim), Ok(None));
    assert_eq!(feed(interim.repeat(3000)), Err(ResponseError::TooLarge));
}

#[test]
fn malformed() {
    for bad in [
        "\r\n\r\n",
        "\r\nHTTP/1.1 404 x\r\n\r\n",
        "HTTP/1.1 404 x\n\n",
        "HTTP/1.1  404 x\r\n\r\n",
        "HTTP/1.0 101 Switching Protocols\r\n\r\n",
        "HTTP/2 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 10 x\r\n\r\n",
        "HTTP/1.1 1010 x\r\n\r\n",
        "HTTP/1.1 099 x\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "\u{81}\u{0}\n\n",
        "HTTP/1.1 101 x\r\nA b\r\n\r\n",
        "HTTP/1.1 101 x\r\n: b\r\n\r\n",
        "HTTP/1.1 101 x\r\nA : b\r\n\r\n",
    ] {
        assert!(is_malformed(bad), "{bad:?}");
    }
    for line in [
        "A: b\r\n c\r\n",
        "A: b\0c\r\n",
        "A: b\rc\r\n",
        "A: \x7f\r\n",
        "A\0: b\r\n",
        " A: b\r\n",
        "A: b\n",
        "A: b\nB: c\r\n",
    ] {
        assert!(is_malformed(&with(line)), "{line:?}");
    }
}

#[test]
fn limits() {
    let fields = |count: usize| with(&"A: b\r\n".repeat(count - 3));
    assert_eq!(opened(&fields(256)).headers.len(), 256);
    assert_eq!(feed(fields(257)), Err(ResponseError::TooLarge));

    let long = |length: usize| {
        let rest = length - with("A: \r\n").len();
        with(&format!("A: {}\r\n", "b".repeat(rest)))
    };
    assert!(feed(long(MAX_HEAD_BYTES)).unwrap().is_some());
    let (_, rest) = feed(long(MAX_HEAD_BYTES) + &"f".repeat(100_000)).unwrap().unwrap();
    assert_eq!(rest.len(), 100_000);
    assert_eq!(feed(long(MAX_HEAD_BYTES + 1)), Err(ResponseError::TooLarge));
    let endless = |length: usize| [VERSION, &vec![b'x'; length - VERSION.len()]].concat();
    assert_eq!(feed(endless(MAX_HEAD_BYTES - 1)), Ok(None));
    assert_eq!(feed(endless(MAX_HEAD_BYTES)), Err(ResponseError::TooLarge));
    let mut drip = reader();
    assert_eq!(drip.feed(VERSION), Ok(None));
    assert!((0..MAX_HEAD_BYTES).any(|_| drip.feed(b"x") == Err(ResponseError::TooLarge)));
}

#[test]
fn another_protocol_is_not_waited_for() {
    assert!(is_malformed("S"));
    assert!(is_malformed("HTTP/1.0"));
    assert!(is_malformed("\r"));
    assert!(is_malformed("HTTP/1.1 100 Continue\r\n\r\n\u{0}"));
}
