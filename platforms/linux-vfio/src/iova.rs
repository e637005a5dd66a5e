//! Addresses for a device: what an IOMMU translates.

use std::collections::BTreeMap;

/// What is mapped begins and ends at a multiple of this.
pub const PAGE: u64 = 4096;

/// The first address that is given out: what a driver forgot to fill in meets nothing.
const FIRST: u64 = 16 * PAGE;

/// The first that is not: devices with 28 lines reach all. (So it is far below where the machine has its interrupts, which cannot be mapped.)
const END: u64 = 1 << 28;

/// Which addresses are taken. They go up, with a page between each two blocks that never is; the same one is not given out again until the end
/// has been reached, so that a device that is late meets nothing.
#[derive(Default)]
pub struct Iovas {
    /// Begin and size.
    taken: BTreeMap<u64, u64>,
    /// Where to begin to look.
    next: u64,
}

impl Iovas {
    /// Takes so many bytes, whole pages, at addresses of so many bits.
    pub fn take(&mut self, size: u64, bits: u32) -> Option<u64> {
        let end = 1_u64.checked_shl(bits).unwrap_or(END).min(END);
        let start = [self.next.max(FIRST), FIRST]
            .into_iter()
            .find_map(|from| self.room(from, size, end))?;
        self.taken.insert(start, size);
        self.next = start + size + PAGE;
        Some(start)
    }

    /// Whether something begins there.
    pub fn is_taken(&self, start: u64) -> bool {
        self.taken.contains_key(&start)
    }

    /// Gives back what begins there.
    pub fn give_back(&mut self, start: u64) {
        self.taken.remove(&start);
    }

    fn room(&self, from: u64, size: u64, end: u64) -> Option<u64> {
        let mut start = from;
        loop {
            let last = start.checked_add(size).filter(|&last| last <= end)?;
            // The last one that begins before this would end, with the page after it.
            let before = self.taken.range(..last + PAGE).next_back();
            match before.map(|(other, size)| other + size + PAGE) {
                Some(beyond) if beyond > start => start = beyond,
                _ => return Some(start),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_up_and_come_again_as_late_as_can_be() {
        let mut iovas = Iovas::default();
        let first = iovas.take(PAGE, 28).unwrap();
        assert_eq!(first, FIRST);
        iovas.give_back(first);
        let mut last = first;
        while let Some(next) = iovas.take(PAGE, 28).filter(|&next| next > last) {
            iovas.give_back(next);
            last = next;
        }
        // To the very end, and then from the begin.
        assert!(last + PAGE <= END && last + 3 * PAGE > END);
        assert_eq!(iovas.taken.keys().next(), Some(&FIRST));
    }

    #[test]
    fn blocks_are_apart_and_inside() {
        let mut iovas = Iovas::default();
        let mut blocks = Vec::new();
        // Sizes and gaps of all kinds, until nothing fits.
        for round in 0..64_u64 {
            while let Some(start) = iovas.take((1 + round % 5) * 512 * PAGE, 28) {
                blocks.push((start, (1 + round % 5) * 512 * PAGE));
            }
            blocks.sort_unstable();
            for pair in blocks.windows(2) {
                assert!(pair[0].0 + pair[0].1 + PAGE <= pair[1].0);
            }
            assert!(blocks
                .iter()
                .all(|&(start, size)| start >= FIRST && start + size <= END));
            let gone: Vec<_> = blocks
                .iter()
                .copied()
                .step_by(1 + round as usize % 3)
                .collect();
            blocks.retain(|block| !gone.contains(block));
            for (start, _) in gone {
                iovas.give_back(start);
            }
        }
    }

    #[test]
    fn few_bits_have_few_addresses() {
        let mut iovas = Iovas::default();
        assert_eq!(iovas.take(PAGE, 16), None);
        assert_eq!(iovas.take(PAGE, 17), Some(FIRST));
        assert_eq!(iovas.take(16 * PAGE, 17), None);
        assert_eq!(iovas.take(u64::MAX - 5, 64), None);
        assert!(iovas.take(16 * PAGE, 64).is_some());
    }
}
