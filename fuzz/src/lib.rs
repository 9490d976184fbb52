//! What the fuzz targets share. Nothing can link the library, a cdylib, so its protocol is included by path.

#[path = "../../src/protocol/mod.rs"]
pub mod protocol;

pub mod drive;
pub mod independent;
pub mod input;
pub mod memory;
pub mod reference;
