//! What each level of compression costs and saves, of JSON messages: a table of ratios and of processor time.
//!
//! levels [SIZE...]: sizes of messages; the time of a level is that of its fastest round

use std::time::Duration;

use flate2::{Compress, Compression, FlushCompress};
use taro_micro::data;

const SIZES: [usize; 5] = [250, 1_000, 4_096, 16_384, 65_536];
const LEVELS: [u32; 8] = [1, 2, 3, 4, 5, 6, 7, 9];
/// Bytes of messages in a round, some more or less.
const ROUND_BYTES: usize = 1 << 20;
const ROUNDS: usize = 15;

fn main() {
    let mut sizes: Vec<usize> = std::env::args().skip(1).map(|size| size.parse().expect("no size")).collect();
    if sizes.is_empty() {
        sizes = SIZES.to_vec();
    }
    println!("percent of the size that is left; MB/s");
    println!("{:>9} {:>5} {:>16} {:>16}", "size", "level", "takeover", "no takeover");
    for size in sizes {
        let messages = data::jsons((ROUND_BYTES / size) as u64, size);
        let bytes: usize = messages.iter().map(String::len).sum();
        for level in LEVELS {
            print!("{size:>9} {level:>5}");
            for takeover in [true, false] {
                let mut best = (0, Duration::MAX);
                for _ in 0..ROUNDS {
                    let (left, time) = round(&messages, level, takeover);
                    best = (left, best.1.min(time));
                }
                let speed = bytes as f64 / best.1.as_secs_f64() / 1e6;
                print!(" {:>7.2} {speed:>8.1}", 100.0 * best.0 as f64 / bytes as f64);
            }
            println!();
        }
    }
}

/// Bytes that are left, and how long it took. The new compressor of each round does not count.
fn round(messages: &[String], level: u32, takeover: bool) -> (usize, Duration) {
    let mut stream = Compress::new(Compression::new(level), false);
    let mut out = Vec::with_capacity(1 << 17);
    let mut left = 0;
    let start = thread_time();
    for message in messages {
        out.clear();
        stream.compress_vec(message.as_bytes(), &mut out, FlushCompress::Sync).unwrap();
        left += out.len() - 4;
        if !takeover {
            stream.reset();
        }
    }
    (left, thread_time() - start)
}

/// Processor time: what else the machine does counts for little.
fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it is written to.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
