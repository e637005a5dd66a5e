//! Everything is measured in turn, so that whatever happens to the machine happens to all.

use crate::progress::Progress;

/// Does `f` to each of the items, once in a round; each round starts with another one.
pub fn interleave<T>(what: &str, rounds: usize, items: &mut [T], mut f: impl FnMut(&mut T)) {
    let mut progress = Progress::new(what, rounds * items.len());
    in_turns(rounds, items, |item| {
        f(item);
        progress.step();
    });
}

/// The same, silently.
pub fn in_turns<T>(rounds: usize, items: &mut [T], mut f: impl FnMut(&mut T)) {
    let count = items.len();
    for round in 0..rounds {
        // A step without a common divisor would do; a prime does unless the count is a multiple of it.
        let first = round * 7 % count;
        for number in 0..count {
            f(&mut items[(first + number) % count]);
        }
    }
}
