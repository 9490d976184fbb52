//! The payload of a compressed message: inflated in steps, within the limit.

use super::super::deflate::{Corrupt, Inflater, Progress};
use super::{MessageReader, Violation};

/// Inflated in one step, at most: others want their turn too.
pub const STEP_BYTES: usize = 64 * 1024;

/// The first room for a message, which is small more often than not.
const FIRST_BYTES: usize = 512;

impl MessageReader {
    /// One step: until the input, the frame, or what may be done at once is used up.
    pub(super) fn inflate_body(&mut self, input: &mut &[u8]) -> Result<(), Violation> {
        let mut part = &input[..self.missing.min(input.len())];
        let before = part.len();
        let step = self.inflate_step(|inflater, body, room| inflater.feed(&mut part, body, room));
        let used = before - part.len();
        self.missing -= used;
        *input = &input[used..];
        self.paused = step? == Progress::Full;
        Ok(())
    }

    pub(super) fn inflate_end(&mut self) -> Result<(), Violation> {
        self.paused = self.inflate_step(Inflater::finish)? == Progress::Full;
        Ok(())
    }

    fn inflate_step(
        &mut self,
        mut step: impl FnMut(&mut Inflater, &mut Vec<u8>, usize) -> Result<Progress, Corrupt>,
    ) -> Result<Progress, Violation> {
        let Some(inflater) = &mut self.inflater else { return Err(Violation::Deflate) };
        let mut room = FIRST_BYTES;
        let mut left = STEP_BYTES;
        let progress = loop {
            // No room for more than one byte over the limit; and twice what is there, as vectors grow.
            room = room.min(left).min(self.limit.saturating_sub(self.body.len()).saturating_add(1));
            self.body.try_reserve(room).map_err(|_| Violation::TooBig)?;
            let before = self.body.len();
            let progress = step(inflater, &mut self.body, room).map_err(|_| Violation::Deflate)?;
            if self.body.len() > self.limit {
                return Err(Violation::TooBig);
            }
            left -= self.body.len() - before;
            if progress == Progress::Hungry || left == 0 {
                break progress;
            }
            room *= 4;
        };
        self.check_text()?;
        Ok(progress)
    }
}
