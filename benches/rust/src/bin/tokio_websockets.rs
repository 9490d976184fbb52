//! tokio-websockets, as it comes.

use bench_peers::{Peer, Plan, Stream, run};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

struct Connection(WebSocketStream<Stream>);

/// The library owns what it sends, so the host's bytes are copied.
fn message(text: bool, data: &[u8]) -> Message {
    let data = Bytes::copy_from_slice(data);
    if text { Message::text(String::from_utf8(data.into()).expect("UTF-8")) } else { Message::binary(data) }
}

impl Peer for Connection {
    async fn upgrade(stream: Stream, plan: &Plan) -> Self {
        let builder = ClientBuilder::new().uri(&plan.url).expect("URL");
        let (socket, _) = builder.connect_on(stream).await.expect("upgrade");
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
        let message = self.0.next().await.expect("end").expect("receive");
        look(message.as_payload())
    }
}

fn main() {
    run::<Connection>();
}
