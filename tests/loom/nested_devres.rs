//! A resource that holds the last handle of another one of its scope: the end of the one is the end of the other, wherever it comes.

use driver_scope::{enter, Devres};
use loom::thread;

use crate::common::{bounded, Drops, Resource};
use crate::platform::LoomPlatform;
use crate::readers::{with_each_strategy, LoomSections};

with_each_strategy!(
    the_end_of_the_scope_waits_for_a_reader_of_the_inner,
    the_outer_goes_beside_the_end_of_the_scope,
    the_outer_goes_beside_a_reader_and_the_end_of_the_scope,
    the_outer_may_be_older_than_the_inner,
);

type Inner = driver_scope::Plain<Resource>;
type Outer<S> = driver_scope::Plain<Holder<S>>;

/// What the outer resource is.
struct Holder<S: LoomSections> {
    resource: Resource,
    /// Filled when the inner one is there.
    inner: std::sync::Mutex<Option<Devres<Inner, LoomPlatform<S>>>>,
}

impl<S: LoomSections> Holder<S> {
    fn new(drops: &Drops, inner: Option<Devres<Inner, LoomPlatform<S>>>) -> Self {
        Holder {
            resource: drops.resource(),
            inner: std::sync::Mutex::new(inner),
        }
    }
}

/// A reader of the inner one, found by way of the outer one.
///
/// Fails when weakened by `slots-enter-fence`, `counted-leave-release`, `counted-refused-not-taken-back`, `gate-not-shut`,
/// `devres-dropped-twice`, `devres-drop-not-a-reader`, `shared-drop-release`, `readers-light`.
fn the_end_of_the_scope_waits_for_a_reader_of_the_inner<S: LoomSections>() {
    // Unbounded it takes ten seconds on a counted gate, which both sections and the end of the handle change.
    bounded(3, || {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let reader = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &drops, |drops, scope| {
                let inner = scope
                    .devres::<Inner>(drops.resource())
                    .expect("open")
                    .devres();
                let holder = Holder::new(drops, Some(inner));
                let outer = scope.devres::<Outer<S>>(holder).expect("open").devres();
                thread::spawn(move || {
                    let Some(guard) = outer.try_access() else {
                        return;
                    };
                    guard.get().resource.touch();
                    let inner = guard.get().inner.lock().expect("nothing panics").take();
                    if let Some(guard) = inner.as_ref().expect("not taken yet").try_access() {
                        guard.get().touch();
                    }
                    // (The inner one's last handle goes in a section on the outer one.)
                    drop(inner);
                    guard.get().resource.touch();
                })
            })
        });
        assert_eq!(drops.get(), 2);
        reader.join().unwrap();
    });
}

/// The outer one's last handle goes in another thread: each of the two is dropped there or by the scope, once.
///
/// Fails when weakened by `slots-wait-fence`, `slots-leave-release`, `counted-refused-not-taken-back`, `counted-wait-acquire`,
/// `devres-drop-not-a-reader`, `devres-not-awaited`, `shared-drop-acquire`.
fn the_outer_goes_beside_the_end_of_the_scope<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let dropper = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &drops, |drops, scope| {
                let inner = scope
                    .devres::<Inner>(drops.resource())
                    .expect("open")
                    .devres();
                let holder = Holder::new(drops, Some(inner));
                let outer = scope.devres::<Outer<S>>(holder).expect("open").devres();
                thread::spawn(move || drop(outer))
            })
        });
        assert_eq!(drops.get(), 2);
        dropper.join().unwrap();
        assert_eq!(drops.get(), 2);
    });
}

/// While somebody reads the inner one, whose handle is then the last.
///
/// Fails when weakened by `slots-wait-first-acquire`, `slots-wait-again-acquire`, `devres-handles-release`,
/// `devres-handles-acquire`, `devres-drop-after-the-gate`, `devres-not-closed`, `devres-closed-late`.
fn the_outer_goes_beside_a_reader_and_the_end_of_the_scope<S: LoomSections>() {
    // Three threads, two of which may come to drop things, do not finish unbounded.
    bounded(3, || {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let threads = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &drops, |drops, scope| {
                let inner = scope
                    .devres::<Inner>(drops.resource())
                    .expect("open")
                    .devres();
                let holder = Holder::new(drops, Some(inner.clone()));
                let outer = scope.devres::<Outer<S>>(holder).expect("open").devres();
                let reader = thread::spawn(move || {
                    inner.try_access_with(|inner| inner.touch());
                });
                [reader, thread::spawn(move || drop(outer))]
            })
        });
        assert_eq!(drops.get(), 2);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(drops.get(), 2);
    });
}

/// Then the scope's end drops the inner one first, and its handle later.
///
/// Fails when weakened by `slots-wait-everything-only`, `counted-refused-not-taken-back`, `devres-not-the-last`,
/// `devres-drop-not-a-reader`, `devres-not-noted`, `gates-not-released`, `readers-heavy`.
fn the_outer_may_be_older_than_the_inner<S: LoomSections>() {
    loom::model(|| {
        let platform = LoomPlatform::<S>::with_sections();
        let drops = Drops::new();
        let dropper = platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &drops, |drops, scope| {
                let outer = scope
                    .devres::<Outer<S>>(Holder::new(drops, None))
                    .expect("open");
                let inner = scope
                    .devres::<Inner>(drops.resource())
                    .expect("open")
                    .devres();
                *outer.access(scope).inner.lock().expect("nothing panics") = Some(inner);
                let outer = outer.devres();
                thread::spawn(move || drop(outer))
            })
        });
        assert_eq!(drops.get(), 2);
        dropper.join().unwrap();
        assert_eq!(drops.get(), 2);
    });
}
