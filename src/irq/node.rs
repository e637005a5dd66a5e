//! An interrupt handler as it lies in the scope's memory, and what happens at an interrupt.

use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr::{self, NonNull};

use crate::context::MaySleep;
use crate::error::Error;
use crate::event::{Event, Kind, Name, Outcome};
use crate::inspect::{self, Details};
use crate::irq::context::{IrqContext, IrqReturn};
use crate::platform::{IrqState, Irqs, Platform};
use crate::scope::inner::Core;
use crate::scope::registry::Registration;
use crate::scope::DriverScope;
use crate::sync::{AtomicBool, Ordering, UnsafeCell};
use crate::timer::counters::Count;

type PlatformNode<P> = <<P as Platform>::Irqs as Irqs>::Node;

/// A handler. Its type is known here, and so to its entry: from the platform's call to the driver's code there is no further indirect one.
#[repr(C)]
pub(crate) struct IrqNode<P: Platform, F> {
    head: IrqHead<P>,
    /// Called by the entry alone, which never runs beside itself (promise 1 of `Irqs`).
    handler: UnsafeCell<ManuallyDrop<F>>,
}

/// All of a handler that handles lead to: everything but the closure.
pub(crate) struct IrqHead<P: Platform> {
    core: NonNull<Core<P>>,
    name: Name,
    /// Whether the handler has panicked.
    panicked: AtomicBool,
    /// Whether the platform has switched the line off.
    stormed: AtomicBool,
    /// How many interrupts were another's, and how many were handled: by what the entry returned. Both are written by the entry alone.
    counts: [Count; 2],
    /// The platform's own node: initialised in place, then only touched by the platform.
    irq: UnsafeCell<MaybeUninit<PlatformNode<P>>>,
}

// SAFETY: what contexts share here are atomics, what is not written after the registration, and the platform's node, which is `Send + Sync`. [SHARED]
unsafe impl<P: Platform> Send for IrqHead<P> {}
// SAFETY: as above. [SHARED]
unsafe impl<P: Platform> Sync for IrqHead<P> {}

/// Puts a handler on a line, owned by the scope.
pub(crate) fn register<'drv, P, F>(
    scope: &DriverScope<'drv, P>,
    name: Name,
    line: &<P::Irqs as Irqs>::Line,
    handler: F,
) -> Result<NonNull<IrqHead<P>>, Error>
where
    P: Platform,
    F: FnMut(&mut IrqContext<'_, P>) -> IrqReturn + Send + 'drv,
{
    let core = NonNull::from(scope.core());
    let irqs = scope.platform().irqs();
    let init = |place: NonNull<IrqNode<P, F>>| {
        // All of it before the platform has the node: it may call the entry at once.
        // SAFETY: `place` is memory for a node, ours alone until here. [ARENA]
        let node = unsafe {
            place.write(IrqNode {
                head: IrqHead {
                    core,
                    name,
                    panicked: AtomicBool::new(false),
                    stormed: AtomicBool::new(false),
                    counts: [Count::new(), Count::new()],
                    irq: UnsafeCell::new(MaybeUninit::uninit()),
                },
                handler: UnsafeCell::new(ManuallyDrop::new(handler)),
            });
            place.as_ref()
        };
        let platforms = node.head.irq_place();
        let context = place.as_ptr() as *const ();
        // SAFETY: the place stays where it is and valid until the scope's memory is freed, after `shut`. `entry` may be called with this context
        // from anywhere until then: the handler is `Send`. So may `storm`. [STAYS, SHUT]
        unsafe {
            if let Err(error) = irqs.init(platforms.as_ptr(), line, entry::<P, F>, context) {
                // Never called, says the platform.
                node.drop_handler();
                return Err(error);
            }
            irqs.watch(platforms, storm::<P, F>);
        }
        Ok(())
    };
    let undo = |place: NonNull<IrqNode<P, F>>| {
        // SAFETY: `init` initialised the node, which nobody else has seen but the platform, and that no more once it is shut. [LISTED, SHUT]
        unsafe {
            let node = place.as_ref();
            irqs.shut(node.head.irq_place(), scope.may_sleep(), &|| {
                node.head.stalled()
            });
            Registration::<P>::release(node);
            node.drop_handler();
        }
    };
    // SAFETY: as the two closures say. [LISTED]
    let node = unsafe { scope.register(name, init, undo)? };
    // The head is the first of a `repr(C)` node.
    Ok(node.cast())
}

impl<P: Platform> IrqHead<P> {
    fn core(&self) -> &Core<P> {
        // SAFETY: the core outlives the scope's memory, in which this node lies. [STAYS]
        unsafe { self.core.as_ref() }
    }

    pub(crate) fn platform(&self) -> &P {
        &self.core().platform
    }

    pub(crate) fn name(&self) -> Name {
        self.name
    }

    fn irq_place(&self) -> NonNull<PlatformNode<P>> {
        // The address of the platform's node. Not an access: the crate never looks at it. (`with`, since loom takes `with_mut`
        // for a write, and several contexts may be here.)
        let place = self
            .irq
            .with(|irq| irq.cast_mut().cast::<PlatformNode<P>>());
        // SAFETY: the address of a field is not null. [LOCAL]
        unsafe { NonNull::new_unchecked(place) }
    }

    pub(crate) fn enable(&self) {
        // SAFETY: (here and below) initialised at `register`, and not released while a handle exists. [LISTED, STAYS]
        unsafe { self.platform().irqs().enable(self.irq_place()) }
    }

    pub(crate) fn disable(&self) {
        // SAFETY: see `enable`. [LISTED, STAYS]
        unsafe { self.platform().irqs().disable(self.irq_place()) }
    }

    pub(crate) fn state(&self) -> IrqState {
        // SAFETY: see `enable`. [LISTED, STAYS]
        unsafe { self.platform().irqs().state(self.irq_place()) }
    }

    /// Whether the caller could wait for the handler: not inside it. The platform knows whom it has called, so that an interrupt costs nothing for this.
    pub(crate) fn may_wait(&self) -> Result<(), Error> {
        // SAFETY: see `enable`. [LISTED, STAYS]
        if unsafe { self.platform().irqs().is_inside(self.irq_place()) } {
            return Err(Error::Deadlock);
        }
        Ok(())
    }

    /// After [`may_wait`](Self::may_wait).
    pub(crate) fn synchronize(&self, cx: MaySleep<'_>) -> bool {
        // SAFETY: see `enable`. (Not inside the entry, as was found.) [LISTED, STAYS]
        unsafe {
            let irqs = self.platform().irqs();
            irqs.synchronize(self.irq_place(), cx, &|| self.stalled())
        }
    }

    fn stalled(&self) {
        self.platform().trace(&Event::Stalled {
            driver: self.core().driver,
            name: &self.name,
        });
    }
}

impl<P: Platform, F> IrqNode<P, F> {
    /// # Safety
    /// No entry runs or will run; called once.
    unsafe fn drop_handler(&self) {
        // SAFETY: nobody calls the handler, says the caller, and it is dropped this once. [CALLER]
        self.handler
            .with_mut(|handler| unsafe { ManuallyDrop::drop(&mut *handler) });
    }
}

/// The platform's way in. Few instructions: `cargo xtask asm` counts them.
///
/// # Safety
/// `context` is an `IrqNode<P, F>` between `Irqs::init` and the return of `Irqs::shut`, and no other call of this for it is under way.
unsafe extern "C" fn entry<P, F>(context: *const ()) -> bool
where
    P: Platform,
    F: FnMut(&mut IrqContext<'_, P>) -> IrqReturn,
{
    // A reference local to this call: it is gone when the platform says that the entry has ended, which is when the node's
    // memory may go (trap 14).
    // SAFETY: the caller's promise; nodes are only ever borrowed shared. [CALLER]
    let node = unsafe { &*context.cast::<IrqNode<P, F>>() };
    let head = &node.head;
    // Relaxed: written by an earlier entry, which came before this one (promise 1).
    if head.panicked.load(Ordering::Relaxed) {
        return false;
    }
    let result = head.core().guarded(Some(&head.name), || {
        node.handler.with_mut(|handler| {
            // SAFETY: initialised before the platform had the node, and dropped after `shut`; no other entry runs beside this one. [ALONE, SHUT]
            let handler: &mut F = unsafe { &mut *handler };
            handler(&mut IrqContext::new(head))
        })
    });
    let Some(result) = result else {
        head.panicked.store(true, Ordering::Relaxed);
        return false;
    };
    let ours = result != IrqReturn::None;
    head.counts[usize::from(ours)].one_more();
    ours
}

/// Is told that the line was switched off.
///
/// # Safety
/// As for [`entry`].
unsafe extern "C" fn storm<P: Platform, F>(context: *const ()) {
    // SAFETY: the caller's promise; see `entry`. [CALLER]
    let head = unsafe { &(*context.cast::<IrqNode<P, F>>()).head };
    // Relaxed: it tells, and nothing is done about it.
    head.stormed.store(true, Ordering::Relaxed);
    head.platform().trace(&Event::Storm {
        driver: head.core().driver,
        name: &head.name,
    });
}

// SAFETY: the platform calls `entry` and `storm` no more when `Irqs::shut` has returned (its promise 3), and the handler is called from there
// alone. [SHUT, PROMISE]
unsafe impl<P: Platform, F> Registration<P> for IrqNode<P, F> {
    const KIND: Kind = Kind::Irq;

    fn shut(&self, core: &Core<P>, _name: &Name, cx: MaySleep<'_>) -> Option<Outcome> {
        // SAFETY: initialised, not released. Inside the node's own entry this would not return: then nothing is destroyed either. [LISTED, STAYS]
        let state = unsafe {
            let irqs = core.platform.irqs();
            irqs.shut(self.head.irq_place(), cx, &|| self.head.stalled())
        };
        Some(if state.running {
            Outcome::WaitedFor
        } else {
            Outcome::Idle
        })
    }

    fn inspect(&self) -> Details {
        let state = self.head.state();
        let [not_ours, handled] = &self.head.counts;
        Details::Irq(inspect::Irq {
            enabled: state.enabled,
            running: state.running,
            // Relaxed, all: they tell, and nothing is done about it.
            panicked: self.head.panicked.load(Ordering::Relaxed),
            stormed: self.head.stormed.load(Ordering::Relaxed),
            handled: handled.get(),
            not_ours: not_ours.get(),
        })
    }

    unsafe fn destroy(&self) -> bool {
        // SAFETY: everything is shut, so no entry runs or will run; called once. [SHUT, PHASES]
        unsafe { self.drop_handler() };
        true
    }

    unsafe fn release(&self) -> bool {
        // SAFETY: initialised by `Irqs::init`, shut, and dropped this once; nobody uses it afterwards. [PHASES]
        self.head
            .irq
            .with_mut(|irq| unsafe { ptr::drop_in_place(irq.cast::<PlatformNode<P>>()) });
        false
    }
}
