//! A fuzzer's bytes as choices, cuts and frames.

/// Bytes of a stream made from an input, at most: more would cost time and reach nothing new.
const STREAM_BYTES: usize = 16_000;

/// Gives zeros once it is used up, so that every input means something.
pub struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    pub fn short(&mut self) -> usize {
        usize::from(self.byte()) | usize::from(self.byte()) << 8
    }

    /// So many, or all that there are.
    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (bytes, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        bytes
    }

    pub fn rest(self) -> &'a [u8] {
        self.rest
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    /// Up to 15 sizes.
    pub fn plan(&mut self) -> Plan<'a> {
        let count = usize::from(self.byte() & 15);
        Plan { sizes: self.bytes(count), at: 0 }
    }

    /// Few bytes become many: a length of up to 8,191, and up to 63 bytes that are repeated for so long, or that
    /// noise is made from, in which nothing is repeated.
    pub fn payload(&mut self) -> Vec<u8> {
        let length = self.short() & 0x1fff;
        let choice = self.byte();
        let pattern = self.bytes(usize::from(choice & 63));
        if choice & 64 != 0 {
            return noise(pattern).take(length).collect();
        }
        if pattern.is_empty() {
            vec![0; length]
        } else {
            pattern.iter().copied().cycle().take(length).collect()
        }
    }

    /// A stream as a server sends it: the bytes as they are, or frames of which each has a head that fits.
    pub fn stream(mut self) -> Vec<u8> {
        if self.byte() & 1 == 0 {
            return self.rest.to_vec();
        }
        let mut stream = Vec::new();
        while !self.is_empty() && stream.len() < STREAM_BYTES {
            let first = self.byte();
            let payload = self.payload();
            put_frame(&mut stream, first, &payload);
        }
        stream
    }
}

fn noise(seed: &[u8]) -> impl Iterator<Item = u8> {
    let mut state =
        seed.iter().fold(1_u32, |state, byte| state.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
}

pub fn put_frame(stream: &mut Vec<u8>, first: u8, payload: &[u8]) {
    stream.push(first);
    match payload.len() {
        length @ 0..126 => stream.push(length as u8),
        length @ 126..65_536 => {
            stream.push(126);
            stream.extend((length as u16).to_be_bytes());
        }
        length => {
            stream.push(127);
            stream.extend((length as u64).to_be_bytes());
        }
    }
    stream.extend_from_slice(payload);
}

/// Sizes of parts, over and over. Without any, all is one part.
#[derive(Clone)]
pub struct Plan<'a> {
    sizes: &'a [u8],
    at: usize,
}

impl Plan<'_> {
    /// Parts of one size.
    pub fn of(size: &[u8; 1]) -> Plan<'_> {
        Plan { sizes: size, at: 0 }
    }

    /// The next size, which may be 0, but not for ever. The high bytes stand for large ones.
    pub fn size(&mut self) -> usize {
        if self.sizes.iter().all(|size| *size == 0) {
            return if self.sizes.is_empty() { usize::MAX } else { 1 };
        }
        let size = usize::from(self.sizes[self.at % self.sizes.len()]);
        self.at += 1;
        if size < 0xd0 { size } else { (size - 0xcf) * 997 }
    }

    /// The next part of `bytes`, which it is taken from.
    pub fn part<'b>(&mut self, bytes: &mut &'b [u8]) -> &'b [u8] {
        let (part, rest) = bytes.split_at(self.size().min(bytes.len()));
        *bytes = rest;
        part
    }
}
