//! How a plan is drawn: the same for the same seed.

use fastrand::Rng;

use crate::plan::{
    Access, Act, Action, Again, Callback, Deed, End, Fate, Form, Hook, Irq, Lack, Machine, Plan,
    Probe, Readers, Site, Timer, Work, CHILDREN, LINES, MOST, REVOCABLES,
};

/// The seed of the plan with a number, of a soak with a seed.
#[must_use]
pub fn seed_of(master: u64, number: u64) -> u64 {
    // An odd factor keeps numbers apart; the draw mixes them.
    Rng::with_seed(master ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).u64(..)
}

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Plan {
        let mut rng = Rng::with_seed(seed);
        let rng = &mut rng;
        let machine = machine(rng, 0);
        let form = match rng.u8(0..8) {
            0 => Form::Entered,
            _ => Form::Bound,
        };
        Plan {
            seed,
            readers: *pick(rng, &[Readers::Counted, Readers::Fenced, Readers::Own]),
            timer_threads: rng.usize(1..=3),
            form,
            machine,
            revocables: many(rng, 1..=REVOCABLES, |rng| one_in(rng, 10)),
            scripts: many(rng, 1..=3, |rng| many(rng, 4..=24, action)),
            owner: many(rng, 1..=8, deed),
            end: end(rng),
            lack: one_in(rng, 10).then(|| lack(rng)),
        }
    }
}

fn one_in(rng: &mut Rng, n: u32) -> bool {
    rng.u32(0..n) == 0
}

fn pick<'a, T>(rng: &mut Rng, of: &'a [T]) -> &'a T {
    &of[rng.usize(0..of.len())]
}

fn many<T>(
    rng: &mut Rng,
    count: std::ops::RangeInclusive<usize>,
    mut draw: impl FnMut(&mut Rng) -> T,
) -> Vec<T> {
    (0..rng.usize(count)).map(|_| draw(rng)).collect()
}

/// Some microseconds: mostly few.
fn micros(rng: &mut Rng) -> u64 {
    match rng.u8(0..8) {
        0 => 0,
        1 => rng.u64(200..1000),
        _ => rng.u64(1..120),
    }
}

fn machine(rng: &mut Rng, depth: usize) -> Machine {
    let mut children = Vec::new();
    if depth < 2 && one_in(rng, 3) {
        children = many(rng, 1..=CHILDREN, |rng| machine(rng, depth + 1));
    }
    let odds = if depth == 0 { 12 } else { 24 };
    Machine {
        timers: many(rng, 1..=MOST, timer),
        works: many(rng, 0..=MOST, work),
        irqs: many(rng, 0..=LINES, irq),
        owned: many(rng, 0..=MOST, |rng| one_in(rng, 20)),
        hooks: many(rng, 0..=3, hook),
        devres: many(rng, 0..=3, |rng| one_in(rng, 20)),
        memory: rng.bool().then(|| rng.usize(8..6000)),
        sleeps: rng.usize(0..=2),
        children,
        probe: match rng.u32(0..odds) {
            0 => Probe::Fails,
            1 => Probe::Panics,
            _ => Probe::Binds,
        },
        remove: hook(rng),
        data_panics: one_in(rng, 16),
        started_elsewhere: one_in(rng, 8),
    }
}

fn timer(rng: &mut Rng) -> Timer {
    Timer {
        callback: callback(rng),
        again: again(rng),
        soft: one_in(rng, 6),
        pinned: one_in(rng, 6),
        boot_time: one_in(rng, 12),
        vacant: one_in(rng, 3),
        first: micros(rng),
        slack: if one_in(rng, 4) { micros(rng) } else { 0 },
    }
}

fn again(rng: &mut Rng) -> Again {
    match rng.u8(0..4) {
        0 => Again::No,
        1 => Again::Period(rng.u64(5..200)),
        _ => Again::After(rng.u64(1..200)),
    }
}

fn work(rng: &mut Rng) -> Work {
    Work {
        callback: callback(rng),
        again: match rng.u8(0..4) {
            0 => again(rng),
            1 => Again::After(0),
            _ => Again::No,
        },
        vacant: one_in(rng, 3),
        queued: rng.bool(),
    }
}

fn irq(rng: &mut Rng) -> Irq {
    Irq {
        callback: callback(rng),
        line: rng.usize(0..LINES),
        threaded: one_in(rng, 3),
    }
}

fn callback(rng: &mut Rng) -> Callback {
    Callback {
        acts: many(rng, 1..=5, act),
        panics: one_in(rng, 12).then(|| rng.u64(0..12)),
        capture_panics: one_in(rng, 24),
        fate: *pick(
            rng,
            &[
                Fate::Kept,
                Fate::Kept,
                Fate::Kept,
                Fate::Dropped,
                Fate::Forgotten,
                Fate::Sent,
            ],
        ),
    }
}

fn hook(rng: &mut Rng) -> Hook {
    Hook {
        acts: many(rng, 0..=3, act),
        panics: one_in(rng, 16),
    }
}

fn act(rng: &mut Rng) -> Act {
    let which = rng.usize(0..MOST);
    match rng.u8(0..26) {
        0 | 1 => Act::Registers,
        2 => Act::Memory,
        3 => Act::Owned,
        4 => Act::Lock,
        5 | 6 => Act::Start(which, micros(rng), if rng.bool() { 0 } else { micros(rng) }),
        7 => Act::Restart(which, rng.bool().then(|| rng.u64(0..100))),
        8 => Act::Cancel(which),
        9 | 10 => Act::Queue(which, if rng.bool() { 0 } else { micros(rng) }),
        11 => Act::CancelWork(which),
        12 => Act::Flush(which),
        13 | 14 => Act::Raise(which % LINES),
        15 => Act::Level(which % LINES),
        16 => Act::Mask(which % LINES),
        17 => Act::Synchronize(which % LINES),
        18 => Act::Revocable(which % REVOCABLES),
        19 => match one_in(rng, 4) {
            true => Act::Revoke(which % REVOCABLES),
            false => Act::Revocable(which % REVOCABLES),
        },
        20 => Act::Devres(which),
        21 => Act::Sleep(micros(rng), rng.bool()),
        22 => Act::Parent,
        23 => Act::Child(which % CHILDREN),
        24 => Act::OwnPort,
        _ => Act::Wait(rng.u64(0..60)),
    }
}

fn access(rng: &mut Rng) -> Access {
    match rng.u8(0..4) {
        0 => Access::Guard(match rng.bool() {
            true => micros(rng),
            false => rng.u64(200..800),
        }),
        1 => Access::Section(rng.u64(0..40)),
        _ => Access::With,
    }
}

fn action(rng: &mut Rng) -> Action {
    let which = rng.usize(0..MOST);
    match rng.u8(0..24) {
        0..=5 => match one_in(rng, 24) {
            true => Action::Call(which, Act::Panic),
            false => Action::Call(which, act(rng)),
        },
        6..=8 => Action::Devres(which, access(rng)),
        9..=11 => Action::Revocable(which % REVOCABLES, access(rng)),
        12 => match rng.u8(0..4) {
            0 => Action::Revoke(which % REVOCABLES, None),
            1 | 2 => Action::Revoke(which % REVOCABLES, Some(rng.u64(0..30))),
            _ => Action::Revocable(which % REVOCABLES, access(rng)),
        },
        13 => Action::CloneDevres(which),
        14 => Action::DropDevres(which),
        15 | 16 => Action::Raise(which % LINES),
        17 | 18 => Action::Transfer,
        19 | 20 => Action::Sleep(which, micros(rng)),
        21 => match one_in(rng, 4) {
            true => Action::BindInSection,
            false => Action::Transfer,
        },
        _ => Action::Rest(micros(rng)),
    }
}

fn lack(rng: &mut Rng) -> Lack {
    let late = rng.bool();
    Lack {
        from: if late { 1 } else { rng.usize(1..=14) },
        count: *pick(rng, &[1, 2, 1000]),
        late,
    }
}

fn deed(rng: &mut Rng) -> Deed {
    match rng.u8(0..10) {
        0 | 1 => Deed::With(act(rng)),
        2 => Deed::Inspect,
        3 => Deed::UnbindChild(rng.usize(0..CHILDREN)),
        4 => Deed::Register,
        _ => Deed::Pass(micros(rng)),
    }
}

fn end(rng: &mut Rng) -> End {
    match rng.u8(0..20) {
        0..=4 => End::Unbind,
        5..=7 => End::Drop,
        8..=13 => End::InCallback(*pick(rng, &[Site::Timer, Site::Irq, Site::Work])),
        14 => End::InCall,
        15 => End::InSection,
        16 | 17 => End::Vanish,
        18 => End::Unwind,
        _ => End::Leak,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_has_one_plan() {
        for seed in 0..50 {
            assert_eq!(
                format!("{:?}", Plan::of(seed)),
                format!("{:?}", Plan::of(seed))
            );
        }
        assert_ne!(seed_of(1, 1), seed_of(1, 2));
        assert_ne!(seed_of(1, 1), seed_of(2, 1));
    }
}
