//! Heads: of frames, and of the response to the upgrade.

use divan::{Bencher, black_box};
use taro_micro::protocol::frame::parse_head;
use taro_micro::protocol::response::ResponseReader;
use taro_micro::protocol::url;

fn main() {
    divan::main();
}

#[divan::bench(args = [&[0x81_u8, 5][..], &[0x82, 126, 1, 0], &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0], &[0x82, 127, 0]])]
fn of_a_frame(bencher: Bencher, bytes: &[u8]) {
    bencher.bench(|| parse_head(black_box(bytes)));
}

/// With so many fields beside the needed ones.
#[divan::bench(args = [0, 10, 100])]
fn of_a_response(bencher: Bencher, fields: usize) {
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{}\r\n",
        "X-Field-Of-The-Server: some value, as they are\r\n".repeat(fields)
    );
    bencher.bench(|| {
        let mut reader = ResponseReader::new("dGhlIHNhbXBsZSBub25jZQ==", Vec::new(), true);
        reader.feed(black_box(head.as_bytes())).unwrap().unwrap()
    });
}

#[divan::bench]
fn of_a_url() -> url::Target {
    url::parse(black_box("wss://game.example.com/room/1?token=2f9c1b7d&v=3")).unwrap()
}
