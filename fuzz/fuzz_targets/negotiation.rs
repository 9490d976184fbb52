//! The answer to the offer of compression: a second parser agrees, and what is accepted can be said again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taro_fuzz::protocol::deflate::{Agreement, Deflater, Inflater, agree};

type Value<'a> = &'a [u8];

fuzz_target!(|data: &[u8]| {
    // Each line is the value of one field.
    let values: Vec<Value> = data.split(|byte| *byte == b'\n').collect();
    let ours = agree(values.iter().copied(), true);
    assert_eq!(ours.ok(), second_opinion(&values), "{ours:?}");

    let joined = values.join(&b", "[..]);
    if data.iter().filter(|byte| **byte == b'"').count() % 2 == 0 && !has_open_quote(&values) {
        assert_eq!(agree([&joined[..]].into_iter(), true).ok(), ours.ok(), "as one field");
    }

    // Nothing offered: nothing may be there.
    let is_empty = joined.iter().all(|byte| *byte == b',' || byte.is_ascii_whitespace());
    assert_eq!(
        agree(values.iter().copied(), false),
        if is_empty { Ok(None) } else { Err("extension not offered") }
    );

    let Ok(Some(agreement)) = ours else { return };
    assert!((8..=15).contains(&agreement.client_window_bits));
    assert!((8..=15).contains(&agreement.server_window_bits));
    let again = said(&agreement);
    assert_eq!(agree([again.as_bytes()].into_iter(), true), Ok(Some(agreement)), "{again}");

    // What was agreed on can be done.
    let Some(mut deflater) = Deflater::new(&agreement) else {
        assert_eq!(agreement.client_window_bits, 8);
        return;
    };
    let (mut packed, mut unpacked) = (Vec::new(), Vec::new());
    deflater.add(data, true, &mut packed);
    let theirs = Agreement { server_window_bits: agreement.client_window_bits, ..agreement };
    let mut inflater = Inflater::new(&theirs);
    inflater.feed(&mut &packed[..], &mut unpacked, data.len() + 1).unwrap();
    inflater.finish(&mut unpacked, 1).unwrap();
    assert_eq!(unpacked, data);
});

fn has_open_quote(values: &[Value]) -> bool {
    values.iter().any(|value| value.iter().filter(|byte| **byte == b'"').count() % 2 == 1)
}

fn said(agreement: &Agreement) -> String {
    let mut text = format!(
        "permessage-deflate; client_max_window_bits={}; server_max_window_bits=\"{}\"",
        agreement.client_window_bits, agreement.server_window_bits
    );
    if !agreement.client_takeover {
        text += "; client_no_context_takeover";
    }
    if !agreement.server_takeover {
        text += "; server_no_context_takeover";
    }
    text
}

/// By the grammar of RFC 7692, 7.1, token by token. None: refused.
fn second_opinion(values: &[Value]) -> Option<Option<Agreement>> {
    let mut agreed = None;
    for value in values {
        let mut rest = *value;
        loop {
            skip_space(&mut rest);
            if eat(&mut rest, b",") {
                continue;
            }
            if rest.is_empty() {
                break;
            }
            if agreed.is_some() {
                return None;
            }
            agreed = Some(extension(&mut rest)?);
            skip_space(&mut rest);
            if !rest.is_empty() && !eat(&mut rest, b",") {
                return None;
            }
        }
    }
    Some(agreed)
}

fn extension(rest: &mut Value) -> Option<Agreement> {
    let mut agreement = Agreement::default();
    if !token(rest).eq_ignore_ascii_case(b"permessage-deflate") {
        return None;
    }
    let mut seen = Vec::new();
    loop {
        skip_space(rest);
        if !eat(rest, b";") {
            return Some(agreement);
        }
        skip_space(rest);
        let name = token(rest);
        if seen.contains(&name) {
            return None;
        }
        seen.push(name);
        match name {
            b"client_no_context_takeover" => agreement.client_takeover = false,
            b"server_no_context_takeover" => agreement.server_takeover = false,
            b"client_max_window_bits" => agreement.client_window_bits = bits(rest)?,
            b"server_max_window_bits" => agreement.server_window_bits = bits(rest)?,
            _ => return None,
        }
    }
}

fn bits(rest: &mut Value) -> Option<u8> {
    skip_space(rest);
    if !eat(rest, b"=") {
        return None;
    }
    skip_space(rest);
    let is_quoted = eat(rest, b"\"");
    let digits = token(rest);
    if is_quoted && !eat(rest, b"\"") {
        return None;
    }
    (8..=15_u8).find(|bits| bits.to_string().as_bytes() == digits)
}

fn eat(rest: &mut Value, mark: &[u8]) -> bool {
    let Some(after) = rest.strip_prefix(mark) else { return false };
    *rest = after;
    true
}

fn skip_space(rest: &mut Value) {
    *rest = rest.trim_ascii_start();
}

fn token<'a>(rest: &mut Value<'a>) -> Value<'a> {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-';
    let end = rest.iter().position(|byte| !is_token(byte)).unwrap_or(rest.len());
    let (token, after) = rest.split_at(end);
    *rest = after;
    token
}
