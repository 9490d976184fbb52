//! Masking of payloads, and the keys for it.

use std::cell::Cell;

use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// Bytes masked on the way from payload to output, in registers: a copy that is masked afterwards
/// goes through memory twice, which half the speed of a large message is lost to.
const LANE: usize = 128;

/// What is left of a payload goes in these, of which one fills a register.
pub const SHORT_LANE: usize = 16;

/// Keys made of one seed: 1 KiB of them.
const KEYS: usize = 256;

/// Masks or unmasks in place.
#[inline]
pub fn apply(bytes: &mut [u8], key: [u8; 4]) {
    let double = u64::from(u32::from_ne_bytes(key)) * 0x1_0000_0001;
    let (words, tail) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ double).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(double.to_ne_bytes()) {
        *byte ^= key;
    }
}

/// Appends `payload` masked. With room for it and a short lane nothing is allocated.
#[inline]
pub fn append_masked(out: &mut Vec<u8>, payload: &[u8], key: [u8; 4]) {
    let (lanes, rest) = payload.as_chunks::<LANE>();
    for lane in lanes {
        let mut lane = *lane;
        apply(&mut lane, key);
        out.extend_from_slice(&lane);
    }
    let (lanes, tail) = rest.as_chunks::<SHORT_LANE>();
    for lane in lanes {
        let mut lane = *lane;
        apply(&mut lane, key);
        out.extend_from_slice(&lane);
    }
    if !tail.is_empty() {
        // A whole lane, of which the end is cut off again: two stores in place of a loop.
        let end = out.len() + tail.len();
        let mut lane = [0; SHORT_LANE];
        lane[..tail.len()].copy_from_slice(tail);
        apply(&mut lane, key);
        out.extend_from_slice(&lane);
        out.truncate(end);
    }
}

/// Cells of plain bytes: nothing here is dropped, so the thread-local has no destructor and works
/// while its thread ends. All zero at the start, so it takes no room in the library's image.
struct Pool {
    left: Cell<usize>,
    keys: [Cell<[u8; 4]>; KEYS],
}

thread_local! {
    static POOL: Pool = const { Pool { left: Cell::new(0), keys: [const { Cell::new([0; 4]) }; KEYS] } };
}

/// The next mask key: random, and foreseen by no one who has seen the ones before.
#[inline]
pub fn next_key() -> Result<[u8; 4], getrandom::Error> {
    POOL.with(|pool| {
        if pool.left.get() == 0 {
            refill(pool)?;
        }
        let left = pool.left.get() - 1;
        pool.left.set(left);
        Ok(pool.keys[left % KEYS].get())
    })
}

#[cold]
fn refill(pool: &Pool) -> Result<(), getrandom::Error> {
    // For a KiB the system's generator takes much longer than this one, which is as hard to foresee from what has been
    // seen of it. Its state goes when the KiB is made.
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let mut bytes = [0; 4 * KEYS];
    ChaCha12Rng::from_seed(seed).fill_bytes(&mut bytes);
    for (key, bytes) in pool.keys.iter().zip(bytes.as_chunks().0) {
        key.set(*bytes);
    }
    pool.left.set(KEYS);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn masked(payload: &[u8], key: [u8; 4]) -> Vec<u8> {
        payload.iter().enumerate().map(|(index, byte)| byte ^ key[index % 4]).collect()
    }

    #[test]
    fn every_length_and_offset() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let bytes: Vec<u8> = (0..400).map(|index| (index * 7) as u8).collect();
        for length in 0..300 {
            for offset in 0..9 {
                let payload = &bytes[offset..offset + length];
                let mut out = vec![9; offset];
                append_masked(&mut out, payload, key);
                assert_eq!(out[..offset], vec![9; offset]);
                assert_eq!(out[offset..], masked(payload, key), "{length} at {offset}");
                apply(&mut out[offset..], key);
                assert_eq!(&out[offset..], payload);
            }
        }
    }

    #[test]
    fn the_example_of_the_rfc() {
        let mut out = Vec::new();
        append_masked(&mut out, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(out, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }

    #[test]
    fn keys_differ_across_refills_and_threads() {
        let draw = || (0..1000).map(|_| next_key().unwrap()).collect::<Vec<_>>();
        let mut keys = draw();
        keys.extend(std::thread::spawn(draw).join().unwrap());
        // By chance 2,000 keys of 32 bits hold one pair in two thousand runs, and ten pairs never.
        assert!(keys.iter().collect::<HashSet<_>>().len() > 1990);
    }

    #[test]
    fn no_destructor() {
        assert!(!std::mem::needs_drop::<Pool>());
    }
}
