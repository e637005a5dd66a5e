//! The list of what a scope must end: intrusive, type-erased, pushed to without a lock.
//!
//! One mechanism for all kinds. A kind implements [`Registration`]; everything else here is shared.

use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

use crate::context::MaySleep;
use crate::event::{Kind, Name, Outcome};
use crate::inspect::{Details, Inspected};
use crate::platform::Platform;
use crate::scope::inner::Core;
use crate::sync::{AtomicPtr, Ordering, UnsafeCell};

/// A kind of thing that a scope owns and ends. Each method is one phase of its end; what a kind has no part in, it leaves out.
///
/// # Safety
/// Once `shut` has returned, nothing of the registration calls the driver's code any more, on any context.
pub(crate) unsafe trait Registration<P: Platform>: Sized {
    const KIND: Kind;

    /// Phase 3: wakes what waits for the activity, and would else wait for ever. Calls by ports are still inside.
    fn close(&self, core: &Core<P>) {
        let _ = core;
    }

    /// Phase 4: stops the activity and waits for it. `None` if there is nothing to stop.
    fn shut(&self, core: &Core<P>, name: &Name, cx: MaySleep<'_>) -> Option<Outcome> {
        let _ = (core, name, cx);
        None
    }

    /// What there is to tell of it while it lives. From any context, at any time before its phases 5 and 6, beside `shut` too.
    fn inspect(&self) -> Details {
        Details::Held
    }

    /// Phase 5: drops what belongs to the driver. `false` if there is nothing to drop. The memory stays readable, and the
    /// methods of handles stay callable.
    ///
    /// # Safety
    /// Called at most once, after every `shut` of the scope.
    unsafe fn destroy(&self) -> bool {
        false
    }

    /// Phase 6, before the first `release` of the scope: keeps the device from reaching memory. `false` if there is nothing to keep it from.
    fn quiet(&self) -> bool {
        false
    }

    /// Phase 6: drops what belongs to the platform. `false` if there is nothing. Nobody uses the registration afterwards.
    ///
    /// # Safety
    /// Called once, after every `destroy` of the scope.
    unsafe fn release(&self) -> bool {
        false
    }
}

/// What is common to all registrations: the front of each [`Node`].
pub(crate) struct Entry<P: Platform> {
    /// Written by the pusher before the entry is published, then never again.
    next: UnsafeCell<*mut Entry<P>>,
    ops: &'static Ops<P>,
    pub(crate) name: Name,
}

type Shut<P> = unsafe fn(NonNull<Entry<P>>, &Core<P>, MaySleep<'_>) -> Option<Outcome>;

/// A registration's methods, its type forgotten. All take the entry at the front of the node.
struct Ops<P: Platform> {
    kind: Kind,
    close: unsafe fn(NonNull<Entry<P>>, &Core<P>),
    shut: Shut<P>,
    inspect: unsafe fn(NonNull<Entry<P>>) -> Details,
    destroy: unsafe fn(NonNull<Entry<P>>) -> bool,
    quiet: unsafe fn(NonNull<Entry<P>>) -> bool,
    release: unsafe fn(NonNull<Entry<P>>) -> bool,
}

/// A registration in the scope's memory. `repr(C)`: a pointer to the node is a pointer to its entry.
#[repr(C)]
pub(crate) struct Node<P: Platform, R> {
    entry: Entry<P>,
    pub(crate) item: R,
}

impl<P: Platform, R: Registration<P>> Node<P, R> {
    const OPS: &'static Ops<P> = &Ops {
        kind: R::KIND,
        // SAFETY (of all six): an entry with these ops is the front of a `Node<P, R>`, since `init` below is the
        // only place that puts them in. [TYPED]
        close: |entry, core| {
            // SAFETY: see above; the caller of `Entry::close` vouches that the node is alive. [TYPED, CALLER]
            unsafe { (*entry.as_ptr().cast::<Self>()).item.close(core) }
        },
        shut: |entry, core, cx| {
            // SAFETY: see above; the caller of `Entry::shut` vouches that the node is alive. [TYPED, CALLER]
            let node = unsafe { &*entry.as_ptr().cast::<Self>() };
            node.item.shut(core, &node.entry.name, cx)
        },
        // SAFETY: see above; the caller of `Entry::inspect` vouches that the node is alive. [TYPED, CALLER]
        inspect: |entry| unsafe { (*entry.as_ptr().cast::<Self>()).item.inspect() },
        // SAFETY: see above; the conditions are those of `Entry::destroy`. [TYPED, CALLER]
        destroy: |entry| unsafe { (*entry.as_ptr().cast::<Self>()).item.destroy() },
        // SAFETY: see above; the caller of `Entry::quiet` vouches that the node is alive. [TYPED, CALLER]
        quiet: |entry| unsafe { (*entry.as_ptr().cast::<Self>()).item.quiet() },
        // SAFETY: see above; the conditions are those of `Entry::release`. [TYPED, CALLER]
        release: |entry| unsafe { (*entry.as_ptr().cast::<Self>()).item.release() },
    };

    /// Fills reserved memory. The item is written by the caller, at the returned place.
    pub(crate) fn init(slot: NonNull<MaybeUninit<Self>>, name: Name) -> NonNull<R> {
        let node = slot.as_ptr().cast::<Self>();
        // SAFETY: the slot is memory for a `Self`, and exclusively ours until pushed. [ARENA]
        unsafe {
            ptr::addr_of_mut!((*node).entry).write(Entry {
                next: UnsafeCell::new(ptr::null_mut()),
                ops: Self::OPS,
                name,
            });
            NonNull::new_unchecked(ptr::addr_of_mut!((*node).item))
        }
    }
}

impl<P: Platform> Entry<P> {
    pub(crate) fn kind(&self) -> Kind {
        self.ops.kind
    }

    /// # Safety
    /// As for [`shut`](Entry::shut).
    pub(crate) unsafe fn close(this: NonNull<Self>, core: &Core<P>) {
        // SAFETY: the entry is alive, says the caller. [CALLER]
        unsafe { ((*this.as_ptr()).ops.close)(this, core) }
    }

    /// # Safety
    /// `this` was pushed on a list of `core`, whose memory is not freed.
    pub(crate) unsafe fn shut(
        this: NonNull<Self>,
        core: &Core<P>,
        cx: MaySleep<'_>,
    ) -> Option<Outcome> {
        // SAFETY: the entry is alive, says the caller. [CALLER]
        unsafe { ((*this.as_ptr()).ops.shut)(this, core, cx) }
    }

    /// # Safety
    /// As for [`shut`](Entry::shut); and no `destroy` of the scope has begun.
    pub(crate) unsafe fn inspect(this: NonNull<Self>) -> Inspected {
        // SAFETY: the entry is alive, says the caller; its name and ops are never written again. [LISTED, CALLER]
        unsafe {
            let ops = (*this.as_ptr()).ops;
            Inspected {
                name: (*this.as_ptr()).name,
                kind: ops.kind,
                details: (ops.inspect)(this),
            }
        }
    }

    /// # Safety
    /// As for [`shut`](Entry::shut); and those of [`Registration::destroy`].
    pub(crate) unsafe fn destroy(this: NonNull<Self>) -> bool {
        // SAFETY: the entry is alive, says the caller. [CALLER]
        unsafe { ((*this.as_ptr()).ops.destroy)(this) }
    }

    /// # Safety
    /// As for [`shut`](Entry::shut); and no `release` of the scope has begun.
    pub(crate) unsafe fn quiet(this: NonNull<Self>) -> bool {
        // SAFETY: the entry is alive, says the caller. [CALLER]
        unsafe { ((*this.as_ptr()).ops.quiet)(this) }
    }

    /// # Safety
    /// As for [`shut`](Entry::shut); and those of [`Registration::release`].
    pub(crate) unsafe fn release(this: NonNull<Self>) -> bool {
        // SAFETY: the entry is alive, says the caller. [CALLER]
        unsafe { ((*this.as_ptr()).ops.release)(this) }
    }

    /// The entry pushed before this one.
    ///
    /// # Safety
    /// As for [`shut`](Entry::shut).
    pub(crate) unsafe fn older(this: NonNull<Self>) -> *mut Entry<P> {
        // SAFETY: alive, says the caller; `next` has not been written since the push that published the entry. [LISTED, CALLER]
        unsafe { (*this.as_ptr()).next.with(|next| *next) }
    }
}

/// A list of registrations, newest first. Pushing needs no lock and works until the list is closed; once closed, the list
/// cannot change, so a teardown walks it with no lock either.
pub(crate) struct List<P: Platform> {
    head: AtomicPtr<Entry<P>>,
}

impl<P: Platform> List<P> {
    pub(crate) fn new() -> Self {
        List {
            head: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The head of a closed list: an address at which no entry can be.
    fn closed() -> *mut Entry<P> {
        NonNull::<Entry<P>>::dangling().as_ptr()
    }

    /// Adds an entry on top. `Err` if the list is closed; the entry is then the caller's again.
    ///
    /// # Safety
    /// The entry is initialised, in no list, and stays valid until the scope's memory is freed.
    pub(crate) unsafe fn push(&self, entry: NonNull<Entry<P>>) -> Result<(), ()> {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            if head == Self::closed() {
                return Err(());
            }
            // SAFETY: not yet published, so ours alone. [LISTED]
            unsafe { (*entry.as_ptr()).next.with_mut(|next| *next = head) };
            // Release: publishes the entry and what it stands for; pairs with the Acquire in `newest`, `take` and `close`. Entries below
            // were published by earlier pushes, whose release sequence this exchange continues. No ABA: an entry is pushed
            // once and its memory is not reused before the list is closed.
            match self.head.compare_exchange_weak(
                head,
                entry.as_ptr(),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(()),
                Err(now) => head = now,
            }
        }
    }

    /// The newest entry, for a walk beside pushes. Null when the list is empty or closed.
    pub(crate) fn newest(&self) -> *mut Entry<P> {
        // Acquire: pairs with the Release in `push`.
        let head = self.head.load(Ordering::Acquire);
        if head == Self::closed() {
            ptr::null_mut()
        } else {
            head
        }
    }

    /// Empties the list, which stays open. Null when it was empty or closed.
    pub(crate) fn take(&self) -> *mut Entry<P> {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            if head.is_null() || head == Self::closed() {
                return ptr::null_mut();
            }
            // Acquire: pairs with the Release in `push`.
            match self.head.compare_exchange_weak(
                head,
                ptr::null_mut(),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(all) => return all,
                Err(now) => head = now,
            }
        }
    }

    /// Closes the list if it is empty (or closed already); says whether it is closed now.
    pub(crate) fn close_if_empty(&self) -> bool {
        // Relaxed: nothing is read through the list, and a push that comes later sees the mark by itself.
        match self.head.compare_exchange(
            ptr::null_mut(),
            Self::closed(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            Ok(_) => true,
            Err(head) => head == Self::closed(),
        }
    }

    /// Closes the list for good and returns its newest entry.
    pub(crate) fn close(&self) -> *mut Entry<P> {
        // Acquire: pairs with the Release in `push`. A push after this finds the mark and is refused.
        let head = self.head.swap(Self::closed(), Ordering::Acquire);
        if head == Self::closed() {
            ptr::null_mut()
        } else {
            head
        }
    }
}
