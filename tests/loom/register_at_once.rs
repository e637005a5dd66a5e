//! Two threads register in one scope at once: both registrations are in its list, and their memory is disjoint.

use std::sync::Arc;

use driver_scope::{Binding, Driver, DriverScope, Error, Restart};
use loom::thread;

use crate::common::{at, bump, Guarded, Plain};
use crate::platform::LoomPlatform;

/// Counts the ends of what is registered.
#[derive(Clone)]
struct Ends(Arc<Plain<u32>>);

impl Drop for Ends {
    fn drop(&mut self) {
        bump(&self.0);
    }
}

struct Registrar<const FIRST: bool>;

impl<const FIRST: bool> Driver<LoomPlatform> for Registrar<FIRST> {
    type Device = ();
    type Data<'drv> = ();
    type Error = Error;

    fn probe<'drv>((): &'drv (), scope: &DriverScope<'drv, LoomPlatform>) -> Result<(), Error> {
        if FIRST {
            // The scope has a chunk of memory, and something in its list.
            scope.own(())?;
        }
        Ok(())
    }
}

fn bind<const FIRST: bool>() -> Arc<Binding<Registrar<FIRST>, LoomPlatform>> {
    let platform = LoomPlatform::new();
    let binding = platform.may_sleep(|cx| Binding::bind(platform.clone(), (), cx));
    Arc::new(binding.expect("it binds"))
}

/// Push against push: neither is lost, so each value is dropped once, at the end.
///
/// Fails when weakened by `registry-push-lost`, `arena-carve-lost`.
#[test]
fn both_registrations_are_ended() {
    loom::model(|| {
        let binding = bind::<true>();
        let count = Arc::new(Plain::new(0));
        let register = |binding: &Binding<Registrar<true>, LoomPlatform>, ends: Ends| {
            binding.platform().may_sleep(|cx| {
                binding.with_scope(cx, move |(), scope| {
                    scope.own(ends).expect("open").0.get();
                });
            });
        };
        let other = {
            let (binding, ends) = (Arc::clone(&binding), Ends(Arc::clone(&count)));
            thread::spawn(move || register(&binding, ends))
        };
        register(&binding, Ends(Arc::clone(&count)));
        other.join().unwrap();
        assert_eq!(count.get(), 0);
        drop(binding);
        assert_eq!(count.get(), 2);
    });
}

/// A timer that is registered and started by one thread ends with the scope whatever another registers meanwhile.
///
/// Fails when weakened by `teardown-no-shut`, `registry-push-lost`, `arena-carve-lost`.
#[test]
fn a_timer_registered_beside_another_thread_is_shut() {
    loom::model(|| {
        let binding = bind::<true>();
        let platform = binding.platform().clone();
        let other = {
            let binding = Arc::clone(&binding);
            thread::spawn(move || {
                binding.platform().may_sleep(|cx| {
                    binding.with_scope(cx, |(), scope| {
                        let capture = Guarded::new();
                        let timer = scope.hrtimer(move |_| {
                            capture.touch();
                            Restart::No
                        });
                        timer.expect("open").start_at(at(0)).expect("open");
                    });
                });
            })
        };
        platform.may_sleep(|cx| {
            binding.with_scope(cx, |(), scope| {
                scope.own(Guarded::new()).expect("open").touch();
            });
        });
        other.join().unwrap();
        drop(binding);
        assert!(platform.is_idle());
    });
}

/// The arena: blocks are disjoint, and the platform misses nothing at the end, the chunk of a loser included.
fn reserve_at_once<const FIRST: bool>() {
    let binding = bind::<FIRST>();
    let reserve = |binding: &Binding<Registrar<FIRST>, LoomPlatform>, fill: u8| {
        binding.platform().may_sleep(|cx| {
            binding.with_scope(cx, |(), scope| {
                let block = scope.alloc([fill; 64]).expect("memory");
                std::ptr::from_ref(block).addr()
            })
        })
    };
    let other = {
        let binding = Arc::clone(&binding);
        thread::spawn(move || reserve(&binding, 1))
    };
    let here = reserve(&binding, 2);
    let there = other.join().unwrap();
    assert!(here.abs_diff(there) >= 64, "blocks overlap");
    drop(binding);
}

/// One chunk with room for both.
///
/// Fails when weakened by `arena-carve-lost`.
#[test]
fn two_that_carve_one_chunk_get_disjoint_memory() {
    loom::model(reserve_at_once::<true>);
}

/// No chunk yet: both ask the platform for one.
///
/// Fails when weakened by `arena-newest-acquire`, `arena-grow-release`, `arena-grow-lost`, `arena-loser-kept`,
/// `arena-carve-lost`.
#[test]
fn two_that_find_no_chunk_lose_none() {
    loom::model(reserve_at_once::<false>);
}
