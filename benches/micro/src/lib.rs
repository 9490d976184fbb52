//! What the micro-benchmarks share. Nothing can link the library, a cdylib, so its protocol is included by path.

#[path = "../../../src/protocol/mod.rs"]
pub mod protocol;

pub mod data;
