use core::marker::PhantomData;
use core::ptr::NonNull;

use crate::context::MaySleep;
use crate::platform::Platform;
use crate::scope::inner::Core;
use crate::scope::teardown::{teardown, NoBody};
use crate::scope::DriverScope;

/// Runs `f` with a scope of its own, tears the scope down, and returns what `f` returned: the form for a driver that lives on
/// a stack, such as a test or a user-space tool.
///
/// `env` is what callbacks may borrow: it is lent for the scope's whole life, so a callback may hold `&'drv E`.
///
/// ```
/// use core::sync::atomic::{AtomicU32, Ordering};
/// use driver_scope::{enter, DriverScope, Restart, Units, platform::Sim};
///
/// let sim = Sim::new();
/// let ticks = AtomicU32::new(0);
/// sim.may_sleep(|cx| {
///     enter(sim.clone(), cx, &ticks, |ticks, scope| {
///         let timer = scope.hrtimer(move |t| {
///             ticks.fetch_add(1, Ordering::Relaxed);
///             t.forward(10.millis())
///         })?;
///         timer.start(10.millis())?;
///         scope.sleep(105.millis());
///         Ok::<(), driver_scope::Error>(())
///     })
/// })?;
/// assert_eq!(ticks.load(Ordering::Relaxed), 10);
/// # Ok::<(), driver_scope::Error>(())
/// ```
///
/// # When the compiler objects
/// - "borrowed data escapes" or "argument requires that … is borrowed for `'static`": a callback captures a local of the
///   function around. Pass it in through `env` (a tuple, if there are several).
/// - "type annotations needed" where the body uses `?`: say what it returns, as the last line above does.
///
/// # Context
/// May sleep: it waits for every callback that is running at the end, and for the readers of its [`Devres`](crate::Devres). If one of them never ends,
/// neither does this: `env` may be on the caller's stack. So do not end a scope with a `Devres` inside a [`ReadSection`](crate::ReadSection), nor with a
/// guard of its own in hand: that is a wait for oneself, with a report each second.
///
/// # Compile-time check
/// Refused, when code is generated, for a platform whose panics end a task without unwinding it: see [`Platform::PANICS_END_TASKS`].
///
/// # Panics
/// If `f` panics, the scope is torn down and the panic goes on.
pub fn enter<P, E, R>(
    platform: P,
    cx: MaySleep<'_>,
    env: &E,
    f: impl for<'drv> FnOnce(&'drv E, &DriverScope<'drv, P>) -> R,
) -> R
where
    P: Platform,
    E: ?Sized,
{
    const { refuse_stack(P::PANICS_END_TASKS) };

    /// Tears down when `f` is done, by return or by panic.
    struct End<'a, P: Platform> {
        core: NonNull<Core<P>>,
        cx: MaySleep<'a>,
        _owns: PhantomData<&'a Core<P>>,
    }
    impl<P: Platform> Drop for End<'_, P> {
        fn drop(&mut self) {
            // SAFETY: the core outlives this guard (it is declared before it); the guard is dropped once; the scope was lent to
            // `f` alone, which is over. [ENDED, BRAND]
            unsafe { teardown(self.core.as_ref(), &NoBody, self.cx) };
        }
    }

    let core = Core::new(platform, "enter", None);
    let core = NonNull::from(&core);
    let end = End {
        core,
        cx,
        _owns: PhantomData,
    };
    // SAFETY: the core stays where it is until this function returns, which the guard lets it do only after the
    // teardown. `f` is generic in `'drv`, which the compiler picks here: shorter than the borrow of `env`, and over when `f`
    // returns. `cx` proves that one may sleep. [STAYS, BRAND, AWAKE]
    let scope = unsafe { DriverScope::new(core) };
    let result = f(env, &scope);
    drop(end);
    result
}

/// Panics while compiling. `track_caller` keeps this crate's source, and `core`'s, out of the message.
#[track_caller]
const fn refuse_stack(panics_end_tasks: bool) {
    assert!(
        !panics_end_tasks,
        "`enter` is not for this platform: its scope lies on the stack of a task, which a panic gives to others here without an end of \
         the scope. Use a `Driver` and a `Binding`"
    );
}
