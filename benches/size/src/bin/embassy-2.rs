//! Two tasks of embassy.
#![no_std]
#![no_main]

use size::ticks;

ticks!(first, 0);
ticks!(second, 1);

fn right(stopped: bool) -> bool {
    (0..2).all(|which| {
        let end = if stopped { 1 + which } else { 0 };
        size::holds(which as usize, which + size::MILLIS, end)
    })
}

size::program!(size::tasks::run(
    |spawner| {
        spawner.spawn(first().expect("it is spawned once"));
        spawner.spawn(second().expect("it is spawned once"));
    },
    right
));
