//! The answer to the upgrade request: read as it comes, and judged.

use super::deflate::{self, Agreement};
use super::tungstenite::accept_of;
use httparse::{EMPTY_HEADER, Status};

/// Most bytes of all heads together, the interim ones included.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// What every head begins with.
const VERSION: &[u8] = b"HTTP/1.1 ";

/// Most fields of one head.
const MAX_FIELDS: usize = 256;

const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// Names and values.
pub type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// A server's agreement to the upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// In order, case and number as they came.
    pub headers: Headers,
    /// The subprotocol picked, empty if none.
    pub protocol: String,
    /// The extensions agreed on as the server says them, empty if none.
    pub extensions: String,
    pub deflate: Option<Agreement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseError {
    /// Not a response of HTTP/1.1.
    Malformed(&'static str),
    /// Over 64 KiB, or 256 fields.
    TooLarge,
    /// A response, but no upgrade.
    Status(u16),
    /// An upgrade, but not to what was asked for.
    Upgrade(&'static str),
}

/// Collects the head of a response. Of no use after it has given a response or an error.
#[derive(Debug)]
pub struct ResponseReader {
    accept: String,
    protocols: Vec<String>,
    offers_deflate: bool,
    bytes: Vec<u8>,
    /// Where the current head begins: behind the interim ones.
    start: usize,
    /// Up to here no head ends.
    scanned: usize,
}

impl ResponseReader {
    /// `key`, `protocols` and the offer of compression are the request's.
    pub fn new(key: &str, protocols: Vec<String>, offers_deflate: bool) -> Self {
        Self { accept: accept_of(key), protocols, offers_deflate, bytes: Vec::new(), start: 0, scanned: 0 }
    }

    /// Takes what has come. With the response come the bytes behind its head: the first frames.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<(Response, Vec<u8>)>, ResponseError> {
        let (near, beyond) = bytes.split_at(bytes.len().min(MAX_HEAD_BYTES - self.bytes.len()));
        self.bytes.extend_from_slice(near);
        loop {
            self.check_version()?;
            let Some(end) = self.find_end()? else { break };
            let (status, headers) = parse(&self.bytes[self.start..end])?;
            match status {
                101 => {
                    let response = self.judge(headers)?;
                    let mut rest = self.bytes.split_off(end);
                    rest.extend_from_slice(beyond);
                    return Ok(Some((response, rest)));
                }
                // Interim: the real one is still to come.
                100..=199 => self.start = end,
                _ => return Err(ResponseError::Status(status)),
            }
        }
        if self.bytes.len() == MAX_HEAD_BYTES { Err(ResponseError::TooLarge) } else { Ok(None) }
    }

    /// Whoever speaks another protocol may never send an empty line, and would be waited for.
    fn check_version(&self) -> Result<(), ResponseError> {
        let head = self.bytes.get(self.start..).unwrap_or_default();
        if head.iter().zip(VERSION).all(|(byte, expected)| byte == expected) {
            return Ok(());
        }
        Err(ResponseError::Malformed("not HTTP/1.1"))
    }

    /// The end of the current head, behind its empty line. Looks at no byte twice. A line feed alone
    /// ends no line here: httparse takes it, and two readers who differ on it see different heads.
    fn find_end(&mut self) -> Result<Option<usize>, ResponseError> {
        let unseen =
            |reader: &Self| reader.bytes.get(reader.scanned..)?.iter().position(|byte| *byte == b'\n');
        while let Some(found) = unseen(self) {
            let at = self.scanned + found;
            self.scanned = at + 1;
            let Some(line) = self.bytes[self.start..at].strip_suffix(b"\r") else {
                return Err(ResponseError::Malformed("line feed alone"));
            };
            if line.ends_with(b"\n") {
                return Ok(Some(at + 1));
            }
        }
        self.scanned = self.bytes.len();
        Ok(None)
    }

    fn judge(&self, headers: Headers) -> Result<Response, ResponseError> {
        let refuse = |why| Err(ResponseError::Upgrade(why));
        match single(&headers, "Upgrade") {
            Ok(Some(value)) if value.eq_ignore_ascii_case(b"websocket") => {}
            Ok(None) => return refuse("no Upgrade"),
            _ => return refuse("wrong Upgrade"),
        }
        let upgrades = all(&headers, "Connection")
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"));
        if !upgrades {
            return refuse("no upgrade in Connection");
        }
        match single(&headers, "Sec-WebSocket-Accept") {
            Ok(Some(value)) if value == self.accept.as_bytes() => {}
            Ok(None) => return refuse("no Sec-WebSocket-Accept"),
            _ => return refuse("wrong Sec-WebSocket-Accept"),
        }
        let deflate = match deflate::agree(all(&headers, EXTENSIONS), self.offers_deflate) {
            Ok(deflate) => deflate,
            Err(why) => return refuse(why),
        };
        let extensions = if deflate.is_some() { joined(&headers, EXTENSIONS) } else { String::new() };
        let protocol = match single(&headers, "Sec-WebSocket-Protocol") {
            Ok(None) => String::new(),
            Ok(Some(value)) => match self.protocols.iter().find(|offered| offered.as_bytes() == value) {
                Some(offered) => offered.clone(),
                None => return refuse("protocol not offered"),
            },
            Err(Repeated) => return refuse("more than one protocol"),
        };
        Ok(Response { status: 101, headers, protocol, extensions, deflate })
    }
}

fn parse(head: &[u8]) -> Result<(u16, Headers), ResponseError> {
    let mut fields = [EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    match response.parse(head) {
        Ok(Status::Complete(_)) => {}
        Ok(Status::Partial) => return Err(ResponseError::Malformed("unfinished head")),
        Err(httparse::Error::TooManyHeaders) => return Err(ResponseError::TooLarge),
        Err(httparse::Error::Version) => return Err(ResponseError::Malformed("not HTTP/1.1")),
        Err(httparse::Error::Status) => return Err(ResponseError::Malformed("bad status line")),
        Err(_) => return Err(ResponseError::Malformed("bad header field")),
    }
    if response.version != Some(1) {
        return Err(ResponseError::Malformed("not HTTP/1.1"));
    }
    let status = match response.code {
        Some(status @ 100..) => status,
        _ => return Err(ResponseError::Malformed("bad status line")),
    };
    let owned = |field: &httparse::Header<'_>| (field.name.as_bytes().to_vec(), field.value.to_vec());
    Ok((status, response.headers.iter().map(owned).collect()))
}

fn all<'a>(headers: &'a [(Vec<u8>, Vec<u8>)], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let named = move |header: &&(Vec<u8>, Vec<u8>)| header.0.eq_ignore_ascii_case(name.as_bytes());
    headers.iter().filter(named).map(|(_, value)| value.as_slice())
}

/// The values of all fields of that name, as one list.
fn joined(headers: &[(Vec<u8>, Vec<u8>)], name: &str) -> String {
    let text = |value: &[u8]| String::from_utf8_lossy(value.trim_ascii()).into_owned();
    all(headers, name).map(text).filter(|value| !value.is_empty()).collect::<Vec<_>>().join(", ")
}

/// A field that may stand only once stands there twice.
struct Repeated;

fn single<'a>(headers: &'a [(Vec<u8>, Vec<u8>)], name: &'a str) -> Result<Option<&'a [u8]>, Repeated> {
    let mut values = all(headers, name);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Repeated),
        (value, None) => Ok(value),
    }
}

#[cfg(test)]
mod tests;
