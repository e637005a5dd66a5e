//! Models of the registry's list that safe code cannot build: a push while the list is closed or emptied. (Registering takes a borrow of
//! what a teardown consumes.) So here the list is raced with directly, and nothing but its own atomics orders the threads.

use core::alloc::Layout;
use core::mem::MaybeUninit;
use core::panic::Location;
use core::ptr::NonNull;
use core::time::Duration;
use std::boxed::Box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::vec::Vec;

use loom::thread;

use crate::context::{ContextId, MaySleep};
use crate::error::Error;
use crate::event::{Kind, Name};
use crate::inspect::Details;
use crate::mmio::Word;
use crate::platform::{
    Arm, Bus, DeferredEntry, NoDma, NoIrqs, Platform, RawLock, TimerEntry, TimerState, Timers,
    TryCancel,
};
use crate::scope::registry::{Entry, List, Node, Registration};
use crate::sections::Counted;
use crate::sync::UnsafeCell;
use crate::time::Instant;
use crate::timer::TimerMode;

/// A registration whose `destroy` writes to it, which loom objects to unless the push came before.
struct Item(UnsafeCell<u32>);

// SAFETY: nothing of it is ever called but `destroy`.
unsafe impl Registration<Nowhere> for Item {
    const KIND: Kind = Kind::Owned;

    fn inspect(&self) -> Details {
        // SAFETY: not while anybody destroys, which loom checks.
        assert_eq!(self.0.with(|ends| unsafe { *ends }), 0);
        Details::Held
    }

    unsafe fn destroy(&self) -> bool {
        // SAFETY: after the push, which loom checks, and by the one thread that took the entry.
        self.0.with_mut(|ends| unsafe { *ends += 1 });
        true
    }
}

type Place = NonNull<MaybeUninit<Node<Nowhere, Item>>>;

/// A list, the places for its entries, and who got in.
struct Shared {
    list: List<Nowhere>,
    places: Vec<Place>,
}

// SAFETY: each place is filled by one thread and then reached through the list.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    fn new(entries: usize) -> Arc<Self> {
        Arc::new(Shared {
            list: List::new(),
            places: (0..entries)
                .map(|_| NonNull::from(Box::leak(Box::new(MaybeUninit::uninit()))))
                .collect(),
        })
    }

    /// Fills a place and pushes it. Whether the list took it.
    fn push(&self, index: usize) -> bool {
        let place = self.places[index];
        let item = Node::init(place, Name::new(None, Location::caller()));
        // SAFETY: the item's place, of an entry that nobody else has seen; it stays until the model ends.
        unsafe {
            item.write(Item(UnsafeCell::new(0)));
            self.list.push(place.cast()).is_ok()
        }
    }

    fn spawn_push(self: &Arc<Self>, index: usize) -> thread::JoinHandle<bool> {
        let shared = Arc::clone(self);
        thread::spawn(move || shared.push(index))
    }

    /// Destroys the entries from `newest` on; how many there were.
    fn walk(mut newest: *mut Entry<Nowhere>) -> usize {
        let mut entries = 0;
        while let Some(entry) = NonNull::new(newest) {
            // SAFETY: taken off the list by this thread, once; alive until the model ends.
            unsafe {
                assert!(Entry::destroy(entry));
                newest = Entry::older(entry);
            }
            entries += 1;
        }
        entries
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for place in &self.places {
            // SAFETY: leaked in `new`; loom's objects own nothing.
            drop(unsafe { Box::from_raw(place.as_ptr()) });
        }
    }
}

/// A visit beside two pushes: what it finds is whole, the older entry too, which it sees through the newer one's push.
///
/// The visit is on the thread that comes last: loom would not let a load that came first come later.
///
/// Fails when weakened by `registry-push-release`, `registry-newest-acquire`, `registry-push-lost`.
#[test]
fn two_pushes_against_a_visit() {
    let most = Arc::new(AtomicUsize::new(0));
    let found = Arc::clone(&most);
    loom::model(move || {
        let shared = Shared::new(2);
        let pusher = shared.spawn_push(0);
        let visitor = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let mut entries = 0;
                let mut cursor = shared.list.newest();
                while let Some(entry) = NonNull::new(cursor) {
                    // SAFETY: on the list, and alive until the model ends.
                    unsafe {
                        assert_eq!(Entry::inspect(entry).kind, Kind::Owned);
                        cursor = Entry::older(entry);
                    }
                    entries += 1;
                }
                entries
            })
        };
        assert!(shared.push(1));
        assert!(pusher.join().unwrap());
        most.fetch_max(visitor.join().unwrap(), Ordering::Relaxed);
        assert_eq!(Shared::walk(shared.list.close()), 2);
    });
    assert_eq!(found.load(Ordering::Relaxed), 2, "it comes late, too");
}

/// A closed list has nothing to visit. (No visit is made of one, so no model has two threads for this.)
///
/// Fails when weakened by `registry-newest-closed`.
#[test]
fn a_closed_list_is_empty_to_a_visit() {
    loom::model(|| {
        let shared = Shared::new(1);
        assert!(shared.list.newest().is_null());
        assert!(shared.push(0));
        assert!(!shared.list.newest().is_null());
        Shared::walk(shared.list.close());
        assert!(shared.list.newest().is_null());
    });
}

/// A push either comes before the close, which then finds the whole entry, or is refused.
///
/// Fails when weakened by `registry-push-release`, `registry-close-acquire`, `registry-push-closed`,
/// `registry-push-lost`.
#[test]
fn push_against_close() {
    loom::model(|| {
        let shared = Shared::new(1);
        let pusher = shared.spawn_push(0);
        let found = Shared::walk(shared.list.close());
        let pushed = pusher.join().unwrap();
        assert_eq!(found, usize::from(pushed));
        assert!(shared.list.close().is_null());
    });
}

/// Two pushes and a close: the close sees the older entry through the newer one's push.
///
/// Fails when weakened by `registry-push-release`, `registry-close-acquire`, `registry-push-closed`,
/// `registry-push-lost`.
#[test]
fn two_pushes_against_close() {
    loom::model(|| {
        let shared = Shared::new(2);
        let pushers = [shared.spawn_push(0), shared.spawn_push(1)];
        let found = Shared::walk(shared.list.close());
        let pushed = pushers.map(|pusher| usize::from(pusher.join().unwrap()));
        assert_eq!(found, pushed[0] + pushed[1]);
    });
}

/// The hooks: taken until the list is empty, and only then closed.
///
/// Fails when weakened by `registry-push-release`, `registry-take-acquire`, `registry-push-closed`,
/// `registry-push-lost`, `registry-take-lost`, `registry-close-if-not-empty`.
#[test]
fn push_against_take_and_close_if_empty() {
    loom::model(|| {
        let shared = Shared::new(2);
        assert!(shared.push(0));
        let pusher = shared.spawn_push(1);
        let mut found = 0;
        while !shared.list.close_if_empty() {
            found += Shared::walk(shared.list.take());
        }
        let pushed = pusher.join().unwrap();
        assert_eq!(found, 1 + usize::from(pushed));
        assert!(shared.list.take().is_null());
    });
}

/// No platform: a list only needs its type.
#[derive(Clone)]
struct Nowhere;

struct NoLock;

// SAFETY: never called.
unsafe impl RawLock for NoLock {
    type Saved = ();
    fn new(_made_at: &'static core::panic::Location<'static>) -> Self {
        unreachable!()
    }
    fn lock(&self) {
        unreachable!()
    }
    unsafe fn unlock(&self, (): ()) {
        unreachable!()
    }
}

// SAFETY: never called.
unsafe impl Bus for Nowhere {
    type Region = ();
    type Mapping = ();
    type Io = ();
    fn map((): &()) -> Result<(), Error> {
        unreachable!()
    }
    fn size((): &()) -> usize {
        unreachable!()
    }
    fn io((): &()) {
        unreachable!()
    }
    unsafe fn part((): (), _offset: usize) {
        unreachable!()
    }
    unsafe fn read<T: Word>((): (), _offset: usize) -> T {
        unreachable!()
    }
    unsafe fn read_relaxed<T: Word>((): (), _offset: usize) -> T {
        unreachable!()
    }
    unsafe fn write<T: Word>((): (), _offset: usize, _value: T) {
        unreachable!()
    }
    unsafe fn write_relaxed<T: Word>((): (), _offset: usize, _value: T) {
        unreachable!()
    }
}

// SAFETY: there are no timers.
unsafe impl Timers for Nowhere {
    type Node = ();

    unsafe fn init(
        &self,
        _node: *mut (),
        _mode: TimerMode,
        _entry: TimerEntry,
        _context: *const (),
    ) -> Result<(), Error> {
        unreachable!()
    }
    unsafe fn arm(
        &self,
        _node: NonNull<()>,
        _at: Instant,
        _slack: Option<Duration>,
        _how: Arm,
    ) -> Result<(), Error> {
        unreachable!()
    }
    unsafe fn state(&self, _node: NonNull<()>) -> TimerState {
        unreachable!()
    }
    unsafe fn try_cancel(&self, _node: NonNull<()>) -> TryCancel {
        unreachable!()
    }
    unsafe fn cancel(&self, _node: NonNull<()>, _cx: MaySleep<'_>, _stalled: &dyn Fn()) -> bool {
        unreachable!()
    }
    unsafe fn flush(
        &self,
        _node: NonNull<()>,
        _now: Instant,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> bool {
        unreachable!()
    }
    unsafe fn shut(
        &self,
        _node: NonNull<()>,
        _cx: MaySleep<'_>,
        _stalled: &dyn Fn(),
    ) -> TimerState {
        unreachable!()
    }
}

// SAFETY: never called.
unsafe impl Platform for Nowhere {
    type Bus = Nowhere;
    type RawLock = NoLock;
    type Timers = Self;
    type Irqs = NoIrqs;
    type Dma = NoDma;
    type Sections = Counted;
    type Deferred = ();

    fn allocate(&self, _layout: Layout) -> Option<NonNull<u8>> {
        unreachable!()
    }
    unsafe fn deallocate(&self, _block: NonNull<u8>, _layout: Layout) {
        unreachable!()
    }
    fn context(&self) -> ContextId {
        unreachable!()
    }
    fn in_callback(&self) -> bool {
        unreachable!()
    }
    fn sleep(&self, _cx: MaySleep<'_>, _delay: Duration) {
        unreachable!()
    }
    unsafe fn defer(&self, _node: *mut (), _run: DeferredEntry, _argument: *mut ()) {
        unreachable!()
    }
    fn now(&self) -> Instant {
        unreachable!()
    }
    fn sections(&self) -> &Counted {
        unreachable!()
    }
    fn irqs(&self) -> &NoIrqs {
        &NoIrqs
    }

    fn dma(&self) -> &NoDma {
        &NoDma
    }

    fn timers(&self) -> &Self {
        self
    }
}
