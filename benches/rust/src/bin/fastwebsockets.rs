//! fastwebsockets. It has no send buffer; the upgrade is made here, for its own needs the whole of hyper.

use bench_peers::{Peer, Plan, Stream, run};
use fastwebsockets::{FragmentCollector, Frame, Payload, Role, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Connection(FragmentCollector<Stream>);

impl Peer for Connection {
    async fn upgrade(mut stream: Stream, plan: &Plan) -> Self {
        let path = &plan.url[plan.url.rfind('/').expect("path")..];
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}:{}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            plan.address, plan.port
        );
        stream.write_all(request.as_bytes()).await.expect("request");
        stream.flush().await.expect("request");
        let mut answer = Vec::with_capacity(1024);
        // The server says nothing behind its answer before it was asked.
        while !answer.ends_with(b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut answer).await.expect("answer"), 0);
        }
        assert!(answer.starts_with(b"HTTP/1.1 101 "));
        Connection(FragmentCollector::new(WebSocket::after_handshake(stream, Role::Client)))
    }

    async fn send(&mut self, text: bool, data: &'static [u8]) {
        let payload = Payload::Borrowed(data);
        let frame = if text { Frame::text(payload) } else { Frame::binary(payload) };
        self.0.write_frame(frame).await.expect("send");
    }

    async fn feed(&mut self, text: bool, data: &'static [u8]) {
        self.send(text, data).await;
    }

    async fn flush(&mut self) {}

    async fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> R {
        let frame = self.0.read_frame().await.expect("receive");
        look(&frame.payload)
    }
}

fn main() {
    run::<Connection>();
}
