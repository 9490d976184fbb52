//! tokio-tungstenite, with a read buffer of 16 KiB in place of 128 KiB: it is zeroed before each read, and a
//! smaller one makes nothing slower. For many connections 4 KiB.

use bench_peers::{Peer, Plan, Scenario, Stream, run};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

const READ_BUFFER: usize = 16 << 10;
const SMALL_READ_BUFFER: usize = 4 << 10;

struct Connection(WebSocketStream<Stream>);

/// The library owns what it sends, so the host's bytes are copied.
fn message(text: bool, data: &[u8]) -> Message {
    if text {
        Message::Text(Utf8Bytes::try_from(Bytes::copy_from_slice(data)).expect("UTF-8"))
    } else {
        Message::Binary(Bytes::copy_from_slice(data))
    }
}

impl Peer for Connection {
    async fn upgrade(stream: Stream, plan: &Plan) -> Self {
        let read_buffer = if plan.scenario == Scenario::Conns { SMALL_READ_BUFFER } else { READ_BUFFER };
        let config = WebSocketConfig::default().read_buffer_size(read_buffer);
        let (socket, _) = client_async_with_config(&plan.url, stream, Some(config)).await.expect("upgrade");
        Connection(socket)
    }

    async fn send(&mut self, text: bool, data: &'static [u8]) {
        self.0.send(message(text, data)).await.expect("send");
    }

    async fn feed(&mut self, text: bool, data: &'static [u8]) {
        self.0.feed(message(text, data)).await.expect("feed");
    }

    async fn flush(&mut self) {
        self.0.flush().await.expect("flush");
    }

    async fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> R {
        match self.0.next().await.expect("end").expect("receive") {
            Message::Text(text) => look(text.as_bytes()),
            Message::Binary(data) => look(&data),
            other => panic!("{other}"),
        }
    }
}

fn main() {
    run::<Connection>();
}
