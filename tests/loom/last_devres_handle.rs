//! The last handle of a resource goes while its scope lives, or ends: the resource is released then, or with the scope, once, and by nobody
//! after the teardown has returned (trap 8).

use std::sync::{Arc, Mutex};

use driver_scope::{enter, Binding, Bound, Devres, Driver, DriverScope, Error};
use loom::thread;

use crate::common::{bounded, callback, Drops, Resource};
use crate::platform::LoomPlatform;
use crate::readers::{with_each_strategy, LoomSections};

with_each_strategy!(
    the_last_of_two_handles_releases_the_resource,
    the_last_handle_goes_beside_the_end_of_the_scope,
    the_last_handle_goes_in_a_section_beside_the_end_of_the_scope,
    the_last_handle_goes_in_a_callback_beside_the_end_of_the_scope,
    two_handles_go_beside_the_end_of_the_scope,
    a_use_inside_the_scope_comes_before_the_release,
);

type Held = driver_scope::Plain<Resource>;

fn resource<'drv, S: LoomSections>(
    scope: &DriverScope<'drv, LoomPlatform<S>>,
    drops: &Drops,
) -> Bound<'drv, Held, LoomPlatform<S>> {
    scope.devres(drops.resource()).expect("open")
}

/// A reader uses it and lets go of its handle, another thread of the last one: the release comes after the use.
///
/// Fails when weakened by `devres-handles-release`, `devres-not-the-last`, `gates-not-released`.
fn the_last_of_two_handles_releases_the_resource<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &drops, |drops, scope| {
                let bound = resource(scope, drops);
                let devres = bound.devres();
                let reader = thread::spawn(move || {
                    devres
                        .try_access_with(|resource| resource.touch())
                        .expect("open");
                    drop(devres);
                });
                drop(bound);
                reader.join().unwrap();
                // The scope goes on without it.
                assert_eq!(drops.get(), 1);
            });
        });
        assert_eq!(drops.get(), 1);
    });
}

/// The scope's end is in one thread, that of the last handle in another, which does `last` with it.
fn beside_the_end<S: LoomSections>(
    last: impl Fn(Devres<Held, LoomPlatform<S>>) + Send + Sync + Copy + 'static,
) {
    loom::model(move || {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let dropper = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &drops, |drops, scope| {
                let devres = resource(scope, drops).devres();
                thread::spawn(move || last(devres))
            })
        });
        assert_eq!(drops.get(), 1);
        dropper.join().unwrap();
        platform.try_run_deferred();
        assert_eq!(drops.get(), 1);
    });
}

/// Fails when weakened by `slots-enter-fence`, `counted-leave-release`, `devres-drop-not-a-reader`, `devres-drop-after-the-gate`,
/// `devres-closed-late`, `shared-drop-release`, `readers-light`, `readers-visit-mine`.
fn the_last_handle_goes_beside_the_end_of_the_scope<S: LoomSections>() {
    beside_the_end::<S>(drop);
}

/// After a use; the section that it goes in is one more.
///
/// Fails when weakened by `slots-wait-fence`, `slots-leave-release`, `counted-wait-acquire`, `devres-drop-not-a-reader`,
/// `devres-not-awaited`, `shared-drop-release`, `shared-drop-acquire`.
fn the_last_handle_goes_in_a_section_beside_the_end_of_the_scope<S: LoomSections>() {
    beside_the_end::<S>(|devres| {
        let other = devres.clone();
        if let Some(guard) = other.try_access() {
            guard.get().touch();
            drop(devres);
            guard.get().touch();
        }
        drop(other);
    });
}

/// It leaves the resource to the scope.
///
/// Fails when weakened by `slots-wait-first-acquire`, `slots-wait-again-acquire`, `devres-drop-in-callback`, `devres-not-closed`,
/// `shared-freed-in-callback`.
fn the_last_handle_goes_in_a_callback_beside_the_end_of_the_scope<S: LoomSections>() {
    beside_the_end::<S>(|devres| {
        callback(|| {
            devres.try_access_with(|resource| resource.touch());
            drop(devres);
        });
    });
}

/// Neither knows whether it is the last.
///
/// Fails when weakened by `slots-wait-everything-only`, `counted-enter-unchecked`, `gate-not-shut`, `devres-drop-not-a-reader`,
/// `devres-not-noted`, `shared-drop-release`, `readers-heavy`.
fn two_handles_go_beside_the_end_of_the_scope<S: LoomSections>() {
    // Three threads around two counts.
    bounded(5, || {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let droppers = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &drops, |drops, scope| {
                let devres = resource(scope, drops).devres();
                [devres.clone(), devres].map(|devres| thread::spawn(move || drop(devres)))
            })
        });
        assert_eq!(drops.get(), 1);
        for dropper in droppers {
            dropper.join().unwrap();
        }
        assert_eq!(drops.get(), 1);
    });
}

/// A driver with a resource, and two handles that anybody may take out.
struct Lender;

impl<S: LoomSections> Driver<LoomPlatform<S>> for Lender {
    type Device = Drops;
    type Data<'drv> = Mutex<Vec<Bound<'drv, Held, LoomPlatform<S>>>>;
    type Error = Error;

    fn probe<'drv>(
        drops: &'drv Drops,
        scope: &DriverScope<'drv, LoomPlatform<S>>,
    ) -> Result<Self::Data<'drv>, Error> {
        let bound = resource(scope, drops);
        Ok(Mutex::new(vec![bound.clone(), bound]))
    }
}

/// No section tells of such a use: only the handles' count orders it before the release by the last handle.
///
/// Fails when weakened by `devres-handles-release`, `devres-handles-acquire`, `devres-dropped-twice`.
fn a_use_inside_the_scope_comes_before_the_release<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let binding: Binding<Lender, _> = platform
            .may_sleep(|cx| Binding::bind(platform.clone(), Drops::new(), cx))
            .expect("it binds");
        let binding = Arc::new(binding);
        let user = {
            let binding = Arc::clone(&binding);
            thread::spawn(move || {
                binding.platform().may_sleep(|cx| {
                    binding.with_scope(cx, |handles, scope| {
                        let bound = handles.lock().expect("nothing panics under it").pop();
                        bound.expect("one each").access(scope).touch();
                    });
                });
            })
        };
        binding.with(|handles| {
            let bound = handles.lock().expect("nothing panics under it").pop();
            drop(bound);
        });
        user.join().unwrap();
        assert_eq!(binding.device().get(), 1);
    });
}
