//! A scope ends while others read what it has lent them: the resource is released when they have left, and its drop sees what they did.

use driver_scope::{enter, Binding, Bound, Devres, Driver, DriverScope, Error, ReadSection};
use loom::thread;

use crate::common::{bounded, Drops, Resource};
use crate::platform::LoomPlatform;
use crate::readers::{with_each_strategy, LoomSections};

with_each_strategy!(
    the_end_of_enter_waits_for_a_reader,
    the_end_of_enter_waits_for_two_readers,
    a_section_holds_off_the_end_of_two_resources,
    a_remove_waits_for_a_reader,
    what_is_bound_is_used_beside_a_reader,
);

type Held = driver_scope::Plain<Resource>;

/// Fails when weakened by `slots-leave-release`, `devres-drop-not-a-reader`, `devres-drop-after-the-gate`, `devres-not-noted`,
/// `shared-drop-release`, `shared-drop-acquire`, `readers-heavy`.
fn the_end_of_enter_waits_for_a_reader<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let reader = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &drops, |drops, scope| {
                let devres = scope
                    .devres::<Held>(drops.resource())
                    .expect("open")
                    .devres();
                thread::spawn(move || {
                    if let Some(guard) = devres.try_access() {
                        guard.get().touch();
                    }
                })
            })
        });
        assert_eq!(drops.get(), 1);
        reader.join().unwrap();
    });
}

/// One grace period, whoever leaves first.
///
/// Fails when weakened by `slots-wait-everything-only`, `slots-wait-first-note-only`, `counted-refused-not-taken-back`,
/// `devres-handles-release`, `devres-dropped-twice`, `devres-not-closed`, `gates-not-released`.
fn the_end_of_enter_waits_for_two_readers<S: LoomSections>() {
    // Three threads around one gate do not finish unbounded.
    bounded(3, || {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let readers = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &drops, |drops, scope| {
                let devres = scope.devres::<Held>(drops.resource()).expect("open");
                [devres.devres(), devres.devres()].map(|devres| {
                    thread::spawn(move || {
                        devres.try_access_with(|resource| resource.look());
                    })
                })
            })
        });
        assert_eq!(drops.get(), 1);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

/// One section covers both.
///
/// Fails when weakened by `slots-enter-all-fence`, `slots-wait-fence`, `slots-leave-all-release`, `slots-wait-one-gate`,
/// `counted-enter-all-fence`, `counted-wait-fence`, `counted-leave-all-release`, `counted-wait-all-acquire`,
/// `counted-wait-one-gate`.
fn a_section_holds_off_the_end_of_two_resources<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let reader = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &drops, |drops, scope| {
                let resource = || {
                    scope
                        .devres::<Held>(drops.resource())
                        .expect("open")
                        .devres()
                };
                let both = [resource(), resource()];
                let platform = platform.clone();
                thread::spawn(move || {
                    let section = ReadSection::enter(&platform);
                    for devres in &both {
                        if let Some(resource) = devres.try_access_with_guard(&section) {
                            resource.touch();
                        }
                    }
                })
            })
        });
        assert_eq!(drops.get(), 2);
        reader.join().unwrap();
    });
}

/// A driver with a resource.
struct Lender;

impl<S: LoomSections> Driver<LoomPlatform<S>> for Lender {
    type Device = Drops;
    type Data<'drv> = Bound<'drv, Held, LoomPlatform<S>>;
    type Error = Error;

    fn probe<'drv>(
        drops: &'drv Drops,
        scope: &DriverScope<'drv, LoomPlatform<S>>,
    ) -> Result<Self::Data<'drv>, Error> {
        scope.devres(drops.resource())
    }
}

type Lent<S> = (
    Binding<Lender, LoomPlatform<S>>,
    Devres<Held, LoomPlatform<S>>,
);

fn bind<S: LoomSections>(platform: &LoomPlatform<S>) -> Lent<S> {
    let binding: Binding<Lender, _> = platform
        .may_sleep(|cx| Binding::bind(platform.clone(), Drops::new(), cx))
        .expect("it binds");
    let devres = binding.with(|bound| bound.devres());
    (binding, devres)
}

/// Fails when weakened by `slots-wait-first-acquire`, `slots-wait-again-acquire`, `counted-leave-release`, `counted-wait-acquire`,
/// `devres-closed-late`, `devres-not-awaited`, `shared-drop-release`, `readers-visit-mine`.
fn a_remove_waits_for_a_reader<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let (binding, devres) = bind(&platform);
        let reader = thread::spawn(move || {
            if let Some(guard) = devres.try_access() {
                guard.get().touch();
            }
        });
        let drops = platform
            .may_sleep(|cx| binding.unbind(cx))
            .expect("may sleep");
        assert_eq!(drops.get(), 1);
        reader.join().unwrap();
    });
}

/// Without a check, by the scope, and so by nothing that a teardown waits for: there is none while the scope is lent.
///
/// Fails when weakened by `slots-enter-fence`, `slots-enter-unchecked`, `counted-enter-unchecked`, `gate-not-shut`,
/// `devres-not-the-last`, `readers-light`.
fn what_is_bound_is_used_beside_a_reader<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let (binding, devres) = bind(&platform);
        let reader = {
            let devres = devres.clone();
            thread::spawn(move || {
                devres.try_access_with(|resource| resource.look());
            })
        };
        let drops = platform.may_sleep(|cx| {
            binding.with_scope(cx, |bound, scope| {
                let same = devres.bind(scope).expect("of this scope");
                same.access(scope).look();
                bound.access(scope).look();
            });
            binding.unbind(cx).expect("may sleep")
        });
        assert_eq!(drops.get(), 1);
        assert!(devres.try_access().is_none());
        reader.join().unwrap();
    });
}
