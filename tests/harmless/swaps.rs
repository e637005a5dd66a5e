//! Handles that change places inside one scope, memory that refers to itself, and handles made lazily or used by many threads.

use std::cell::{Cell, RefCell};
use std::mem::{self, ManuallyDrop};
use std::thread;

use super::*;

pub fn handles_of_one_scope_are_swapped<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (first, second) = (Count::default(), Count::default());
    run_on(&platform, |scope| {
        let (mut a, mut b) = (ticking(scope, &first)?, ticking(scope, &second)?);
        until(scope, || first.load(SeqCst) > 2 && second.load(SeqCst) > 2);
        mem::swap(&mut a, &mut b);
        let cell = Cell::new(a);
        let _ = cell.replace(b).try_cancel();
        let mut slot = Some(cell.get());
        let _ = slot.replace(a).map(|timer| timer.start(0.nanos()));
        let _ = mem::take(&mut slot);
        Ok(())
    });
    assert_still(&platform, &first);
    assert_still(&platform, &second);
}

pub fn vacant_timers_of_one_scope_are_swapped<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    run_on(&platform, |scope| {
        let (a, mut place_a) = scope.vacant_hrtimer()?;
        let (b, mut place_b) = scope.vacant_hrtimer()?;
        mem::swap(&mut place_a, &mut place_b);
        // Each callback is in the other's timer now: that is the driver's own affair.
        for (place, name, other) in [(place_a, "in b", a), (place_b, "in a", b)] {
            let log = log.clone();
            place.set(scope, move |_| {
                log.add(name);
                let _ = other.start(100.micros());
                Restart::No
            })?;
        }
        a.start(0.nanos())?;
        until(scope, || log.count("in a") > 2 && log.count("in b") > 2);
        Ok(())
    });
    let lines = log.lines().len();
    platform.lend_sleep(|cx| platform.sleep(cx, 3.millis()));
    assert_eq!(log.lines().len(), lines);
}

/// A node of a graph in the scope's memory. It may be neither sent nor shared, and has no destructor.
struct Node<'drv, P: Platform> {
    timer: HrTimer<'drv, P>,
    next: Cell<Option<&'drv Node<'drv, P>>>,
}

pub fn allocated_memory_is_a_cycle<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let count = Count::default();
    run_on(&platform, |scope| {
        let mut nodes = Vec::new();
        for _ in 0..8 {
            nodes.push(scope.alloc(Node {
                timer: ticking(scope, &count)?,
                next: Cell::new(None),
            })?);
        }
        for (index, node) in nodes.iter().enumerate() {
            node.next.set(Some(nodes[(index + 1) % nodes.len()]));
        }
        let mut node = nodes[3];
        drop(nodes);
        for _ in 0..20 {
            node = node.next.get().expect("a circle");
            assert!(node.timer.expires().is_some());
        }
        Ok(())
    });
    assert_still(&platform, &count);
}

pub fn values_are_taken_out_of_allocated_memory<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    run_on(&platform, |scope| {
        // `alloc` takes what has no destructor; this one has lost it, and is given it back.
        let place = scope.alloc(RefCell::new(Some(ManuallyDrop::new(log.note("taken")))))?;
        let also = place;
        let taken = place.borrow_mut().take().map(ManuallyDrop::into_inner);
        assert!(also.borrow().is_none());
        drop(taken);
        assert_eq!(log.count("drop taken"), 1);
        Ok(())
    });
    assert_eq!(log.count("drop taken"), 1);
}

pub fn handles_come_from_a_lazy_iterator<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let count = Count::default();
    run_on(&platform, |scope| {
        let mut endless = std::iter::from_fn(|| ticking(scope, &count).ok());
        let some: Vec<_> = endless.by_ref().take(3).collect();
        assert!(endless.next().is_some());
        let again = some.iter().copied().cycle().take(9);
        assert!(again.into_iter().all(|timer| timer.expires().is_some()));
        mem::forget(endless);
        Ok(())
    });
    assert_still(&platform, &count);
}

pub fn scoped_threads_use_the_handles_to_the_end<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let count = Count::default();
    run_on(&platform, |scope| {
        let timer = ticking(scope, &count)?;
        let (platform, counted) = (scope.platform(), &count);
        thread::scope(|threads| {
            for _ in 0..3 {
                threads.spawn(move || {
                    for _ in 0..50 {
                        let _ = timer.start(0.nanos());
                        let _ = timer.try_cancel();
                    }
                    // A scope of its own, whose callback has the outer one's handle.
                    platform.lend_sleep(|cx| {
                        enter(platform.clone(), cx, &(counted, timer), |env, inner| {
                            let starts = inner.hrtimer(move |_| {
                                let (counted, timer) = env;
                                counted.fetch_add(1, SeqCst);
                                let _ = timer.start(0.nanos());
                                Restart::No
                            })?;
                            starts.start(0.nanos())
                        })
                        .unwrap();
                    });
                });
            }
        });
        Ok(())
    });
    assert_still(&platform, &count);
}
