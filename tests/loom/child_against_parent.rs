//! A parent is removed while its child is at work, or is being unbound: the child is gone, and all that it did is over, when the parent's own end begins.

use driver_scope::sections::Counted;
use driver_scope::{
    Binding, Child, Devres, Driver, DriverScope, Error, Family, HrTimer, MaySleep, Port, Restart,
};
use loom::thread;

use crate::common::{at, bounded, Drops, Guarded, Resource};
use crate::platform::LoomPlatform;
use crate::readers::{with_each_strategy, LoomSections};

with_each_strategy!(a_callback_of_a_child_finds_its_parent,);

/// A driver with a child, and data that is watched.
struct Parent;

struct ParentData<'drv, S: LoomSections> {
    child: Child<'drv, Function, LoomPlatform<S>>,
    called: Guarded,
    drops: Drops,
}

impl<S: LoomSections> Driver<LoomPlatform<S>> for Parent {
    /// Of the child's data.
    type Device = Drops;
    type Data<'drv> = ParentData<'drv, S>;
    type Error = Error;

    fn probe<'drv>(
        drops: &'drv Drops,
        scope: &DriverScope<'drv, LoomPlatform<S>>,
    ) -> Result<ParentData<'drv, S>, Error> {
        let device = (scope.port::<Parent>()?, drops.clone());
        let child = scope.child(device).map_err(|failed| failed.error)?;
        Ok(ParentData {
            child,
            called: Guarded::new(),
            drops: drops.clone(),
        })
    }

    fn remove(data: &ParentData<'_, S>, _cx: MaySleep<'_>) {
        // Read as ordinary memory: loom objects if what the child did is not over.
        assert_eq!(data.drops.get(), 1);
        data.called.touch();
    }
}

/// Its child: a timer that calls the parent, and data whose drop is counted.
struct Function;

struct FunctionData<'drv, S: LoomSections> {
    timer: HrTimer<'drv, LoomPlatform<S>>,
    _resource: Resource,
}

impl<S: LoomSections> Driver<LoomPlatform<S>> for Function {
    type Device = (Port<Parent, LoomPlatform<S>>, Drops);
    type Data<'drv> = FunctionData<'drv, S>;
    type Error = Error;

    fn probe<'drv>(
        (parent, drops): &'drv Self::Device,
        scope: &DriverScope<'drv, LoomPlatform<S>>,
    ) -> Result<FunctionData<'drv, S>, Error> {
        let timer = scope.hrtimer(move |_| {
            assert_eq!(parent.call(|data| data.called.touch()), Ok(()));
            Restart::No
        })?;
        Ok(FunctionData {
            timer,
            _resource: drops.resource(),
        })
    }
}

type Bound<S> = Binding<Parent, LoomPlatform<S>>;

fn bind<S: LoomSections>(platform: &LoomPlatform<S>) -> Bound<S> {
    platform
        .may_sleep(|cx| Binding::bind(platform.clone(), Drops::new(), cx))
        .map_err(|failed| failed.error)
        .expect("it binds")
}

fn remove<S: LoomSections>(platform: &LoomPlatform<S>, binding: Bound<S>) {
    let drops = platform.may_sleep(|cx| binding.unbind(cx));
    assert_eq!(drops.expect("outside of all").get(), 1);
}

/// It is let in as long as it can run.
///
/// Fails when weakened by `children-ports-first`, `children-after-hooks`.
fn a_callback_of_a_child_finds_its_parent<S: LoomSections>() {
    bounded(3, || {
        let platform = LoomPlatform::<S>::with_sections();
        let binding = bind(&platform);
        let started = binding.with(|data| data.child.call(|child| child.timer.start_at(at(0))));
        assert_eq!(started, Ok(Ok(())));
        let expirer = platform.spawn_expire(at(0));
        remove(&platform, binding);
        expirer.join().unwrap();
        assert!(platform.is_idle());
    });
}

/// A handle of the child for another thread.
struct Handle;

impl Family for Handle {
    type At<'a> = Child<'a, Function, LoomPlatform<Counted>>;
}

type Outside = Devres<Handle, LoomPlatform<Counted>>;

fn handle(platform: &LoomPlatform<Counted>, binding: &Bound<Counted>) -> Outside {
    platform.may_sleep(|cx| {
        binding.with_scope(cx, |data, scope| {
            scope.devres::<Handle>(data.child).expect("open").devres()
        })
    })
}

/// Unbinds the child, where a reader that is counted may. `None` if its parent is too far gone.
fn unbind(platform: &LoomPlatform<Counted>, handle: &Outside) -> Option<bool> {
    handle.try_access_with(|child| match platform.may_sleep(|cx| child.unbind(cx)) {
        Ok((_parent, drops)) => {
            assert_eq!(drops.get(), 1);
            true
        }
        Err(error) => {
            assert_eq!(error, Error::Gone);
            false
        }
    })
}

/// Whoever comes second waits: the child is gone when the parent's `remove` is called, and it is unbound once.
///
/// Fails when weakened by `children-loser-goes-on`, `children-gone-release`, `children-found-gone`, `children-waited-for`,
/// `children-ended-twice`.
#[test]
fn an_unbind_meets_the_teardown_of_the_parent() {
    bounded(2, || {
        let platform = LoomPlatform::<Counted>::with_sections();
        let binding = bind(&platform);
        let handle = handle(&platform, &binding);
        let other = {
            let platform = platform.clone();
            thread::spawn(move || {
                unbind(&platform, &handle);
            })
        };
        remove(&platform, binding);
        other.join().unwrap();
    });
}

/// One of the two has the device; when the other comes back the child is gone as well.
///
/// Fails when weakened by `children-loser-goes-on`, `children-gone-release`, `children-found-gone`, `children-waited-for`,
/// `children-ended-twice`.
#[test]
fn of_two_unbinds_one_does_it() {
    bounded(2, || {
        let platform = LoomPlatform::<Counted>::with_sections();
        let binding = bind(&platform);
        let handle = handle(&platform, &binding);
        let other = {
            let platform = platform.clone();
            thread::spawn(move || unbind(&platform, &handle).expect("its parent is bound"))
        };
        let here = binding.with(|data| {
            let unbound = platform.may_sleep(|cx| data.child.unbind(cx));
            assert_eq!(data.drops.get(), 1);
            unbound.is_ok()
        });
        assert!(here ^ other.join().unwrap());
        remove(&platform, binding);
    });
}
