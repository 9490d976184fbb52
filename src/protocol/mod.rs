//! RFC 6455, sans I/O: bytes in, messages out, and back.
//!
//! Owns: URLs, the upgrade request and the judgement of its response, frames, masking, reassembly of
//! messages, UTF-8, close codes. Everything is fed slices and asked for the next thing; nothing waits.
//!
//! Refuses: sockets, timers, callbacks, tasks, flavours; server roles; redirects; HTTP beyond one
//! upgrade; whatever a peer claims without having sent it (memory follows bytes, not lengths).
//!
//! May call: nothing above or beside it. Benches and fuzz targets include this directory by path, so
//! every path here starts with `super`.
//!
//! RFC 7692 is `deflate`: the offer that `request::encode` takes, the judgement that `response` asks for, and payloads
//! through it, for `message` and for whoever sends.
//!
//! Frame heads are parsed here and not with tungstenite's `FrameHeader`: that one reads through a
//! cursor, takes lengths that are not minimal, and judges no bit before the whole head is there.
//! Handshake keys come from the system's generator: tungstenite's go through a thread-local
//! generator with a destructor, which panics where entropy is missing.

pub mod close;
pub mod deflate;
pub mod frame;
pub mod mask;
pub mod message;
pub mod request;
pub mod response;
mod tungstenite;
pub mod url;
