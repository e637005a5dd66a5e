//! Child devices: a child is bound by its parent, and gone before the parent's hooks run, whatever happens to either.
//!
//! Seen to fail with: children unbound after the hooks or not at all, the parent's ports closed before, a second unbind that does not wait for the
//! first, an unbind that does not look where it is.

use std::mem;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::strategies::OnCounted;
use common::{
    in_a_callback, leaked_on_purpose, on_purpose, wait_until, Log, Metered, Note, Smuggled,
    TestPlatform,
};
use driver_scope::event::Kind;
use driver_scope::inspect::Details;
use driver_scope::{
    enter, Binding, Child, Devres, Driver, DriverScope, Error, Family, MaySleep, Port, ReadSection,
    Units,
};

mod common;
#[path = "child/failing.rs"]
mod failing;
#[path = "child/unbind.rs"]
mod unbind;

use failing::*;
use unbind::*;

on_every_platform!(
    children_are_unbound_before_the_hooks,
    a_child_may_have_children,
    a_parent_can_be_called_until_its_children_are_gone,
    a_callback_of_a_child_can_call_its_parent_to_its_end,
    children_may_come_later,
    forgotten_handles_change_nothing,
    a_child_is_inspected,
    a_scope_on_a_stack_has_children,
    a_parent_may_be_dropped_in_its_childs_callback,
    a_failed_probe_gives_the_device_back,
    without_memory_there_is_no_child,
    a_failed_parent_unbinds_its_children,
    a_probe_that_panics_leaves_the_parent_alone,
    a_panic_in_a_childs_end_skips_nothing,
    an_unbound_child_is_gone,
    an_unbind_in_a_callback_is_refused,
    of_two_unbinds_one_has_the_device,
);

on_every_strategy!(an_unbind_in_the_childs_remove_is_refused,);

where_sections_tell!(
    an_unbind_in_a_call_is_refused,
    no_child_is_bound_in_a_section,
    a_parent_may_be_dropped_in_a_call_of_its_child,
);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Bind,
    Fail,
    Panic,
}

type Action<P> = Box<dyn Fn(&Device<P>) + Send + Sync>;

/// A device of the one driver there is, with those of its children.
struct Device<P: TestPlatform> {
    name: &'static str,
    log: Log,
    fate: Fate,
    children: Mutex<Vec<Device<P>>>,
    /// The way into the parent.
    parent: Mutex<Option<Port<Node, P>>>,
    /// The way into the driver of this.
    own: Arc<Mutex<Option<Port<Node, P>>>>,
    /// What the driver does in its remove.
    at_remove: Option<Action<P>>,
    /// What it does every now and then.
    tick: Option<Action<P>>,
    #[allow(dead_code)] // For its drop.
    note: Note,
}

impl<P: TestPlatform> Device<P> {
    fn new(log: &Log, name: &'static str) -> Self {
        Device {
            name,
            log: log.clone(),
            fate: Fate::Bind,
            children: Mutex::default(),
            parent: Mutex::default(),
            own: Arc::default(),
            at_remove: None,
            tick: None,
            note: log.note(name),
        }
    }

    fn fate(mut self, fate: Fate) -> Self {
        self.fate = fate;
        self
    }

    fn child(self, child: Device<P>) -> Self {
        self.children.lock().unwrap().push(child);
        self
    }

    fn at_remove(mut self, action: impl Fn(&Self) + Send + Sync + 'static) -> Self {
        self.at_remove = Some(Box::new(action));
        self
    }

    fn tick(mut self, action: impl Fn(&Self) + Send + Sync + 'static) -> Self {
        self.tick = Some(Box::new(action));
        self
    }

    fn call_parent(&self) -> Result<&'static str, Error> {
        let parent = self.parent.lock().unwrap().clone();
        parent.expect("it has one").call(|data| data.name())
    }
}

struct Node;

struct Data<'drv, P: TestPlatform> {
    device: &'drv Device<P>,
    children: Vec<Child<'drv, Node, P>>,
    alive: AtomicBool,
}

impl<P: TestPlatform> Data<'_, P> {
    fn name(&self) -> &'static str {
        assert!(self.alive.load(SeqCst), "called after its drop");
        self.device.name
    }
}

impl<P: TestPlatform> Drop for Data<'_, P> {
    fn drop(&mut self) {
        self.alive.store(false, SeqCst);
        for child in &self.children {
            // Handles still work, and tell.
            assert!(!child.is_bound());
            assert_eq!(child.call(|data| data.name()), Err(Error::Gone));
        }
        self.device.log.add(format!("{}: data", self.device.name));
    }
}

impl<P: TestPlatform> Driver<P> for Node {
    type Device = Device<P>;
    type Data<'drv> = Data<'drv, P>;
    type Error = Error;

    fn probe<'drv>(
        device: &'drv Device<P>,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Data<'drv, P>, Error> {
        let port = scope.port::<Node>()?;
        *device.own.lock().unwrap() = Some(port.clone());
        scope.on_remove(|_| device.log.add(format!("{}: hook", device.name)))?;
        if let Some(tick) = &device.tick {
            let timer = scope.hrtimer(move |t| {
                tick(device);
                t.restart_after(50.micros())
            })?;
            timer.start(0.secs())?;
        }
        let mut children = Vec::new();
        for child in mem::take(&mut *device.children.lock().unwrap()) {
            *child.parent.lock().unwrap() = Some(port.clone());
            let bound = scope.named(child.name).child::<Node>(child);
            children.push(bound.map_err(|failed| failed.error)?);
        }
        match device.fate {
            Fate::Bind => Ok(Data {
                device,
                children,
                alive: AtomicBool::new(true),
            }),
            Fate::Fail => Err(Error::NoDevice),
            Fate::Panic => on_purpose("probe"),
        }
    }

    fn remove(data: &Data<'_, P>, _cx: MaySleep<'_>) {
        let device = data.device;
        device.log.add(format!("{}: remove", data.name()));
        // One's own children are gone by now, and nobody is let in.
        for child in &data.children {
            assert!(!child.is_bound());
        }
        let own = device.own.lock().unwrap().take().expect("made by probe");
        assert_eq!(own.call(|data| data.name()), Err(Error::Gone));
        if let Some(action) = &device.at_remove {
            action(device);
        }
    }
}

type Bound<P> = Binding<Node, Metered<P>>;

fn bind<P: TestPlatform>(platform: &Metered<P>, device: Device<Metered<P>>) -> Bound<P> {
    platform
        .lend_sleep(|cx| Binding::bind(platform.clone(), device, cx).map_err(|failed| failed.error))
        .expect("it binds")
}

fn remove<P: TestPlatform>(binding: Bound<P>) {
    let platform = binding.platform().clone();
    platform.lend_sleep(|cx| drop(binding.unbind(cx).expect("may sleep")));
}

/// What the drivers and devices have logged, without what the crate has.
fn lines(log: &Log) -> Vec<String> {
    let steps = [": remove", ": hook", ": data"];
    let mut lines = log.lines();
    lines.retain(|line| line.starts_with("drop ") || steps.iter().any(|s| line.ends_with(s)));
    lines
}

/// The lines of a driver that is removed.
fn removal(name: &str) -> [String; 4] {
    ["{}: remove", "{}: hook", "{}: data", "drop {}"].map(|line| line.replace("{}", name))
}

fn children_are_unbound_before_the_hooks<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let device = Device::new(&log, "parent")
        .child(Device::new(&log, "older"))
        .child(Device::new(&log, "newer"));
    remove(bind(&platform, device));
    // Newest first, each whole.
    let expected = ["newer", "older", "parent"].map(removal).concat();
    assert_eq!(lines(&log), expected);
    let phases: Vec<_> = [": gate", ": children", ": hooks"]
        .iter()
        .map(|phase| log.lines().iter().filter(|l| l.ends_with(phase)).count())
        .collect();
    // Only the parent has children.
    assert_eq!(phases, [3, 1, 3]);
    platform.assert_at_rest();
}

fn a_child_may_have_children<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let device = Device::new(&log, "a")
        .child(Device::new(&log, "b").child(Device::new(&log, "c").child(Device::new(&log, "d"))))
        .child(Device::new(&log, "e").child(Device::new(&log, "f")));
    let binding = bind(&platform, device);
    let deepest = binding
        .with(|a| a.children[0].call(|b| b.children[0].call(|c| c.children[0].call(|d| d.name()))));
    assert_eq!(deepest, Ok(Ok(Ok("d"))));
    remove(binding);
    let expected = ["f", "e", "d", "c", "b", "a"].map(removal).concat();
    assert_eq!(lines(&log), expected);
    platform.assert_at_rest();
}

/// By whomever: the child's remove among them.
fn a_parent_can_be_called_until_its_children_are_gone<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let asked = Arc::new(AtomicUsize::new(0));
    let ask = || {
        let asked = asked.clone();
        move |child: &Device<_>| {
            assert_eq!(child.call_parent(), Ok("parent"));
            asked.fetch_add(1, SeqCst);
        }
    };
    let device = Device::new(&log, "parent")
        .child(Device::new(&log, "older").at_remove(ask()))
        .child(Device::new(&log, "newer").at_remove(ask()));
    let binding = bind(&platform, device);
    let port = binding.port().unwrap();
    remove(binding);
    assert_eq!(asked.load(SeqCst), 2);
    assert_eq!(port.call(|data| data.name()), Err(Error::Gone));
    drop(port);
    platform.assert_at_rest();
}

fn a_callback_of_a_child_can_call_its_parent_to_its_end<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let bound = Arc::new(AtomicBool::new(false));
    let [calls, refused] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let tick = {
        let (bound, calls, refused) = (bound.clone(), calls.clone(), refused.clone());
        move |child: &Device<_>| match child.call_parent() {
            Ok(_) => _ = calls.fetch_add(1, SeqCst),
            // While the parent probes.
            Err(Error::NotBound) if !bound.load(SeqCst) => {}
            Err(_) => _ = refused.fetch_add(1, SeqCst),
        }
    };
    // Time for callbacks to come in between.
    let slow = |_: &Device<_>| thread::sleep(Duration::from_millis(5));
    let device =
        Device::new(&log, "parent").child(Device::new(&log, "child").tick(tick).at_remove(slow));
    let binding = bind(&platform, device);
    bound.store(true, SeqCst);
    platform.meanwhile(|| {
        wait_until(|| calls.load(SeqCst) > 3);
        remove(binding);
    });
    assert_eq!(refused.load(SeqCst), 0);
    platform.assert_at_rest();
}

fn children_may_come_later<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let binding = bind(&platform, Device::new(&log, "parent"));
    let port = platform.lend_sleep(|cx| {
        binding.with_scope(cx, |parent, scope| {
            // There is an answer in its own probe already.
            let device = Device::new(&log, "child").child(Device::new(&log, "grandchild"));
            *device.parent.lock().unwrap() = Some(scope.port::<Node>().unwrap());
            assert_eq!(device.call_parent(), Ok(parent.name()));
            let child = scope.child::<Node>(device).unwrap();
            assert_eq!(child.call(|data| data.name()), Ok("child"));
            child.port()
        })
    });
    assert_eq!(
        port.call(|data| data.device.call_parent()),
        Ok(Ok("parent"))
    );
    remove(binding);
    assert_eq!(port.call(|data| data.name()), Err(Error::Gone));
    let expected = ["grandchild", "child", "parent"].map(removal).concat();
    assert_eq!(lines(&log), expected);
    drop(port);
    platform.assert_at_rest();
}

fn forgotten_handles_change_nothing<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let device = Device::new(&log, "parent").child(Device::new(&log, "child"));
    let binding = bind(&platform, device);
    platform.lend_sleep(|cx| {
        binding.with_scope(cx, |parent, scope| {
            let child = scope.child::<Node>(Device::new(&log, "later"));
            leaked_on_purpose(child.unwrap());
            leaked_on_purpose(parent.children[0]);
        });
    });
    remove(binding);
    let expected = ["later", "child", "parent"].map(removal).concat();
    assert_eq!(lines(&log), expected);
    platform.assert_at_rest();
}

fn a_child_is_inspected<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let device = Device::new(&log, "parent")
        .child(Device::new(&log, "first"))
        .child(Device::new(&log, "second"));
    let binding = bind(&platform, device);
    let seen = || {
        let mut seen = Vec::new();
        binding.inspect(|item| {
            if item.kind == Kind::Child {
                seen.push((item.name.label().unwrap(), item.details));
            }
        });
        seen
    };
    assert_eq!(
        seen(),
        [("second", Details::Bound), ("first", Details::Bound)]
    );
    platform.lend_sleep(|cx| binding.with(|data| drop(data.children[1].unbind(cx).unwrap())));
    assert_eq!(
        seen(),
        [("second", Details::Unbound), ("first", Details::Bound)]
    );
    let table = binding.table().to_string();
    for (name, state) in [("second", "unbound"), ("first", "bound")] {
        let row = ["child", name, state];
        assert!(
            table.lines().any(|l| l.split_whitespace().eq(row)),
            "{table}"
        );
    }
    remove(binding);
    platform.assert_at_rest();
}

fn a_scope_on_a_stack_has_children<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    platform.lend_sleep(|cx| {
        enter(platform.clone(), cx, &log, |log, scope| {
            scope.on_remove(|_| log.add("stack: hook")).unwrap();
            let child = scope.child::<Node>(Device::new(log, "child")).unwrap();
            assert!(child.is_bound());
        });
    });
    let mut expected = removal("child").to_vec();
    expected.push("stack: hook".into());
    assert_eq!(lines(&log), expected);
    platform.assert_at_rest();
}

/// A binding where a callback can get at it.
type Shelf<P> = Arc<Mutex<Option<Bound<P>>>>;

fn a_parent_may_be_dropped_in_its_childs_callback<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let shelf: Shelf<P> = Arc::default();
    let tick = {
        let shelf = shelf.clone();
        move |child: &Device<_>| {
            drop(shelf.lock().unwrap().take());
            // It goes later: when this has returned.
            assert_ne!(child.call_parent(), Err(Error::Gone));
        }
    };
    let device = Device::new(&log, "parent").child(Device::new(&log, "child").tick(tick));
    let binding = bind(&platform, device);
    *shelf.lock().unwrap() = Some(binding);
    platform.meanwhile(|| wait_until(|| log.count("drop parent") == 1));
    let expected = ["child", "parent"].map(removal).concat();
    assert_eq!(lines(&log), expected);
    wait_until(|| platform.meter().live() == 0);
    platform.assert_at_rest();
}

fn a_parent_may_be_dropped_in_a_call_of_its_child<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let device = Device::new(&log, "parent").child(Device::new(&log, "child"));
    let binding = bind(&platform, device);
    let child = binding.with(|data| data.children[0].port());
    let shelf = Mutex::new(Some(binding));
    let answer = child.call(|data| {
        drop(shelf.lock().unwrap().take());
        thread::sleep(Duration::from_millis(10));
        data.device.call_parent()
    });
    assert_eq!(answer, Ok(Ok("parent")));
    platform.meanwhile(|| wait_until(|| log.count("drop parent") == 1));
    let expected = ["child", "parent"].map(removal).concat();
    assert_eq!(lines(&log), expected);
    drop(child);
    wait_until(|| platform.meter().live() == 0);
    platform.assert_at_rest();
}
