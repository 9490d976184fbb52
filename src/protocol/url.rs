//! Where to connect to, read from a URL as a browser reads it.

use base64::Engine as _;
use std::net::IpAddr;
use url::{ParseError, Position, Url};

/// Everything that dialling and the upgrade request need of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub secure: bool,
    pub host: Host,
    pub port: u16,
    /// Value of `Host`: IPv6 in brackets, the port only where it is not the scheme's own.
    pub authority: String,
    pub path_and_query: String,
    /// Value of `Authorization`, from userinfo.
    pub authorization: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// Lower case, IDN already in its ASCII form.
    Name(String),
    Ip(IpAddr),
}

impl Host {
    /// As a resolver or a certificate names it: IPv6 without brackets.
    pub fn text(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Ip(address) => address.to_string(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    Malformed,
    Scheme,
    Fragment,
    NoHost,
}

pub fn parse(text: &str) -> Result<Target, UrlError> {
    let url = Url::parse(text).map_err(|error| match error {
        ParseError::EmptyHost => UrlError::NoHost,
        _ => UrlError::Malformed,
    })?;
    let secure = match url.scheme() {
        "ws" => false,
        "wss" => true,
        _ => return Err(UrlError::Scheme),
    };
    if url.fragment().is_some() {
        return Err(UrlError::Fragment);
    }
    let host = match url.host() {
        Some(url::Host::Domain("")) | None => return Err(UrlError::NoHost),
        Some(url::Host::Domain(name)) => Host::Name(name.to_owned()),
        Some(url::Host::Ipv4(address)) => Host::Ip(address.into()),
        Some(url::Host::Ipv6(address)) => Host::Ip(address.into()),
    };
    Ok(Target {
        secure,
        host,
        port: url.port().unwrap_or(if secure { 443 } else { 80 }),
        authority: url[Position::BeforeHost..Position::AfterPort].to_owned(),
        path_and_query: url[Position::BeforePath..Position::AfterQuery].to_owned(),
        authorization: basic_authorization(url.username(), url.password()),
    })
}

fn basic_authorization(user: &str, password: Option<&str>) -> Option<String> {
    if user.is_empty() && password.is_none() {
        return None;
    }
    let mut pair = percent_decoded(user);
    pair.push(b':');
    pair.extend(percent_decoded(password.unwrap_or_default()));
    Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
}

/// A percent sign that no two hex digits follow stands for itself, as the URL standard has it.
fn percent_decoded(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| (*byte as char).to_digit(16).map(|value| value as u8);
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let mut byte = *first;
        if byte == b'%'
            && let [high, low, tail @ ..] = tail
            && let (Some(high), Some(low)) = (digit(high), digit(low))
        {
            byte = high << 4 | low;
            rest = tail;
        }
        decoded.push(byte);
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(text: &str) -> (String, u16) {
        let target = parse(text).unwrap();
        (target.authority, target.port)
    }

    #[test]
    fn the_parts() {
        let target = parse("wss://Example.COM:8443/a/../b c?q=1 2&r='").unwrap();
        assert_eq!(
            target,
            Target {
                secure: true,
                host: Host::Name("example.com".into()),
                port: 8443,
                authority: "example.com:8443".into(),
                path_and_query: "/b%20c?q=1%202&r=%27".into(),
                authorization: None,
            }
        );
        assert_eq!(parse("ws://h").unwrap().path_and_query, "/");
        assert_eq!(parse("ws://h?q").unwrap().path_and_query, "/?q");
        assert_eq!(parse("ws://h/?").unwrap().path_and_query, "/?");
        assert!(!parse("WS://h").unwrap().secure);
    }

    #[test]
    fn ports() {
        assert_eq!(authority("ws://h"), ("h".into(), 80));
        assert_eq!(authority("ws://h:80/"), ("h".into(), 80));
        assert_eq!(authority("wss://h"), ("h".into(), 443));
        assert_eq!(authority("wss://h:443"), ("h".into(), 443));
        assert_eq!(authority("ws://h:443"), ("h:443".into(), 443));
        assert_eq!(authority("wss://h:80"), ("h:80".into(), 80));
        assert_eq!(parse("ws://h:65536"), Err(UrlError::Malformed));
        assert_eq!(parse("ws://h:x"), Err(UrlError::Malformed));
    }

    #[test]
    fn addresses() {
        let target = parse("ws://[2001:DB8::0:1]:9000/").unwrap();
        assert_eq!(target.authority, "[2001:db8::1]:9000");
        assert_eq!(target.host, Host::Ip("2001:db8::1".parse().unwrap()));
        assert_eq!(target.host.text(), "2001:db8::1");
        assert_eq!(parse("wss://[::1]").unwrap().authority, "[::1]");
        let target = parse("ws://0x7f.1/").unwrap();
        assert_eq!((target.authority.as_str(), target.host.text().as_str()), ("127.0.0.1", "127.0.0.1"));
        assert_eq!(parse("ws://[::1"), Err(UrlError::Malformed));
        assert_eq!(parse("ws://1.2.3.256/"), Err(UrlError::Malformed));
    }

    #[test]
    fn international_names() {
        assert_eq!(parse("wss://例え.テスト/路").unwrap().authority, "xn--r8jz45g.xn--zckzah");
        assert_eq!(parse("wss://例え.テスト/路").unwrap().path_and_query, "/%E8%B7%AF");
    }

    #[test]
    fn schemes() {
        for text in ["http://h", "https://h", "ftp://h", "file:///h", "mailto:a@b", "wsss://h", "data:,"] {
            assert_eq!(parse(text), Err(UrlError::Scheme), "{text}");
        }
        for text in ["", "h", "//h", "/path", "ws", "ws://a b/", "ws://a%00b/"] {
            assert_eq!(parse(text), Err(UrlError::Malformed), "{text}");
        }
    }

    #[test]
    fn no_host() {
        for text in ["ws://", "wss:///", "ws://?q", "ws://:80", "ws://u@"] {
            assert!(matches!(parse(text), Err(UrlError::NoHost | UrlError::Malformed)), "{text}");
        }
        assert_eq!(parse("ws://"), Err(UrlError::NoHost));
    }

    #[test]
    fn fragments() {
        assert_eq!(parse("ws://h/#"), Err(UrlError::Fragment));
        assert_eq!(parse("ws://h/a#b"), Err(UrlError::Fragment));
        assert!(parse("ws://h/%23").is_ok());
    }

    #[test]
    fn userinfo() {
        let of = |text| parse(text).unwrap().authorization;
        // The example of RFC 7617.
        assert_eq!(
            of("wss://Aladdin:open%20sesame@h").as_deref(),
            Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        );
        assert_eq!(of("ws://user@h").as_deref(), Some("Basic dXNlcjo="));
        assert_eq!(of("ws://:pw@h").as_deref(), Some("Basic OnB3"));
        assert_eq!(of("ws://@h"), None);
        assert_eq!(of("ws://h"), None);
        assert_eq!(parse("ws://user:pw@h:81").unwrap().authority, "h:81");
        assert_eq!(percent_decoded("%e5%86%8d%"), [0xe5, 0x86, 0x8d, b'%']);
        assert_eq!(percent_decoded("%+1%4"), b"%+1%4");
    }

    #[test]
    fn nothing_can_break_out_of_the_request_line() {
        let target = parse(" ws://h/a\r\nX: y\t HTTP/1.1?\u{0}\u{7f}é\n ").unwrap();
        for part in [&target.authority, &target.path_and_query] {
            assert!(part.bytes().all(|byte| byte.is_ascii_graphic()), "{part:?}");
        }
    }
}
