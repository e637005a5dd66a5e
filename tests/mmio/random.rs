//! Long sequences of operations, the same each time.

use crate::common::{rounds, run, TestPlatform};
use crate::steps::{self, Tally, OPERATIONS};

/// A linear congruential generator (Knuth's MMIX), of which the high bits are good.
struct Random(u64);

impl Random {
    fn byte(&mut self) -> u8 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 56) as u8
    }
}

pub fn any_steps_do_what_they_do_to_an_array<P: TestPlatform>() {
    let mut random = Random(2026);
    let mut tally = Tally::default();
    for _ in 0..rounds(300, 5) {
        let input: Vec<u8> = (0..200).map(|_| random.byte()).collect();
        run::<P>(|scope| {
            let once = steps::run(scope, &input)?;
            for (all, once) in tally.as_flattened_mut().iter_mut().zip(once.as_flattened()) {
                *all += once;
            }
            Ok(())
        });
    }
    if cfg!(miri) {
        return;
    }
    // Or it would have shown little.
    for (operation, [done, misaligned, outside]) in tally.into_iter().enumerate() {
        let often = 100;
        assert!(done > often && outside > often, "{operation}: {tally:?}");
        // Bytes can be copied from anywhere.
        let anywhere = [1, 2].contains(&operation);
        assert!(anywhere || misaligned > often, "{operation}: {tally:?}");
    }
    let steps: usize = tally.as_flattened().iter().sum();
    assert!(steps > 1000 * OPERATIONS, "{steps}");
}
