//! Messages like those of mini-programs, and frames of them. The same on every run.

/// A small generator (xorshift), which is all that made-up data needs.
pub struct Random(u64);

impl Random {
    pub fn new() -> Self {
        Self(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % bound
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}

const NAMES: [&str; 8] = ["小明", "Alice", "再见", "bob_92", "李雷", "韩梅梅", "guest", "Zoë"];
const TEXTS: [&str; 6] = [
    "你好，今天的比赛什么时候开始？",
    "ok, see you at the gate",
    "https://cdn.example.com/avatar/2f9c1b7d.png?x=200",
    "已收到您的订单，预计明天送达",
    "gg",
    "position updated",
];
const KINDS: [&str; 4] = ["chat", "move", "state", "order"];

/// One JSON object of some 250 bytes, no two of them equal.
fn record(random: &mut Random, number: u64) -> String {
    let mut pick = |list: &[&'static str]| list[random.below(list.len() as u64) as usize];
    let (kind, name, text) = (pick(&KINDS), pick(&NAMES), pick(&TEXTS));
    format!(
        "{{\"cmd\":\"{kind}\",\"seq\":{number},\"user\":{{\"id\":\"u{:08x}\",\"name\":\"{name}\",\"level\":{}}},\
         \"data\":{{\"x\":{}.{:03},\"y\":{}.{:03},\"hp\":{},\"text\":\"{text}\",\"online\":{}}},\"ts\":17{:011}}}",
        random.below(1 << 32),
        random.below(100),
        random.below(2000),
        random.below(1000),
        random.below(2000),
        random.below(1000),
        random.below(101),
        random.below(2) == 0,
        32_000_000_000 + number * 137 + random.below(90),
    )
}

/// A message of about `size` bytes of JSON, from there on: one object, or an array of them.
pub fn json(random: &mut Random, number: u64, size: usize) -> String {
    let mut text = record(random, number);
    if text.len() < size {
        text.insert(0, '[');
        while text.len() + 2 < size {
            text.push(',');
            text.push_str(&record(random, number + text.len() as u64));
        }
    }
    let mut end = size.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

/// So many messages.
pub fn jsons(count: u64, size: usize) -> Vec<String> {
    let mut random = Random::new();
    (0..count).map(|number| json(&mut random, number * 1000, size)).collect()
}

/// A frame as a server sends it.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..126 => bytes.push(length as u8),
        length @ 126..65_536 => {
            bytes.push(126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}

pub fn ascii(size: usize) -> Vec<u8> {
    (0..size).map(|index| b"The quick brown fox jumps over "[index % 31]).collect()
}

/// Three bytes to a character.
pub fn chinese(size: usize) -> Vec<u8> {
    "再见你好今天明天".repeat(size / 24 + 1).into_bytes()[..size / 3 * 3].to_vec()
}
