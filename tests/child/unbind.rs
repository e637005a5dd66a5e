//! Children that are unbound before their parent's end.

use super::*;

pub fn an_unbound_child_is_gone<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let device = Device::new(&log, "parent")
        .child(Device::new(&log, "first").child(Device::new(&log, "its child")))
        .child(Device::new(&log, "second"));
    let binding = bind(&platform, device);
    let port = binding.with(|data| data.children[0].port());
    platform.lend_sleep(|cx| {
        binding.with(|data| {
            let first = data.children[0];
            assert!(first.is_bound());
            let device = first.unbind(cx).unwrap();
            assert_eq!(device.name, "first");
            // Its parent is still there, and its sibling.
            assert_eq!(device.call_parent(), Ok("parent"));
            assert!(!first.is_bound());
            assert_eq!(first.call(|data| data.name()), Err(Error::Gone));
            assert_eq!(first.port().call(|data| data.name()), Err(Error::Gone));
            assert_eq!(first.unbind(cx).err(), Some(Error::Gone));
            assert_eq!(data.children[1].call(|data| data.name()), Ok("second"));
        });
    });
    assert_eq!(port.call(|data| data.name()), Err(Error::Gone));
    let expected = ["its child", "first"].map(removal).concat();
    assert_eq!(lines(&log), expected);
    remove(binding);
    let expected = ["its child", "first", "second", "parent"].map(removal);
    assert_eq!(lines(&log), expected.concat());
    drop(port);
    platform.assert_at_rest();
}

/// Nothing was done: it can be unbound elsewhere.
fn is_refused<P: TestPlatform>(data: &Data<'_, Metered<P>>, cx: MaySleep<'_>) {
    let child = data.children[0];
    assert_eq!(child.unbind(cx).err(), Some(Error::Deadlock));
    assert!(child.is_bound());
}

/// In the child's own callback, and in that of another scope.
pub fn an_unbind_in_a_callback_is_refused<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let done = Arc::new(AtomicUsize::new(0));
    // The type system has none of these tokens in a callback.
    let token: Arc<Mutex<Option<Smuggled<MaySleep<'static>>>>> = Arc::default();
    let tick = {
        let (done, token) = (done.clone(), token.clone());
        move |child: &Device<_>| {
            let Some(cx) = *token.lock().unwrap() else {
                return;
            };
            let parent = child.parent.lock().unwrap().clone().unwrap();
            let refused = parent.call(|data| is_refused(data, cx.get()));
            if refused.is_ok() {
                done.fetch_add(1, SeqCst);
            }
        }
    };
    let device = Device::new(&log, "parent").child(Device::new(&log, "child").tick(tick));
    let binding = bind(&platform, device);
    // SAFETY: a proof without content, for calls that refuse it.
    let cx = Smuggled::new(unsafe { MaySleep::assume() });
    *token.lock().unwrap() = Some(cx);
    platform.meanwhile(|| wait_until(|| done.load(SeqCst) > 0));
    *token.lock().unwrap() = None;
    in_a_callback(&platform, || {
        binding.with(|data| is_refused(data, cx.get()))
    });
    remove(binding);
    platform.assert_at_rest();
}

/// It is under way, up the stack. (The parent's port leads there; where sections tell, that is reason enough.)
pub fn an_unbind_in_the_childs_remove_is_refused<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let asked = Arc::new(AtomicUsize::new(0));
    let at_remove = {
        let (asked, platform) = (asked.clone(), platform.clone());
        move |child: &Device<_>| {
            let parent = child.parent.lock().unwrap().clone().unwrap();
            let refused = parent.call(|data: &Data<'_, _>| {
                let again = platform.lend_sleep(|cx| data.children[0].unbind(cx));
                assert_eq!(again.err(), Some(Error::Deadlock));
            });
            assert_eq!(refused, Ok(()));
            asked.fetch_add(1, SeqCst);
        }
    };
    let device = Device::new(&log, "parent").child(Device::new(&log, "child").at_remove(at_remove));
    let binding = bind(&platform, device);
    let device = platform.lend_sleep(|cx| binding.with(|data| data.children[0].unbind(cx)));
    assert_eq!(device.unwrap().name, "child");
    assert_eq!(asked.load(SeqCst), 1);
    remove(binding);
    platform.assert_at_rest();
}

/// Of the child, of its parent, of a stranger; and in a read section.
pub fn an_unbind_in_a_call_is_refused<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let device = Device::new(&log, "parent").child(Device::new(&log, "child"));
    let (binding, stranger) = (
        bind(&platform, device),
        bind(&platform, Device::new(&log, "stranger")),
    );
    let ports = [
        binding.with(|data| data.children[0].port()),
        binding.port().unwrap(),
        stranger.port().unwrap(),
    ];
    platform.lend_sleep(|cx| {
        for port in &ports {
            port.call(|_| binding.with(|data| is_refused(data, cx)))
                .unwrap();
        }
        let section = ReadSection::enter(&platform);
        binding.with(|data| is_refused(data, cx));
        drop(section);
        let device = binding.with(|data| data.children[0].unbind(cx)).unwrap();
        assert_eq!(device.name, "child");
    });
    drop(ports);
    remove(binding);
    remove(stranger);
    platform.assert_at_rest();
}

/// The end of a probe that fails could have to wait for the section.
pub fn no_child_is_bound_in_a_section<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let binding = bind(&platform, Device::new(&log, "parent"));
    platform.lend_sleep(|cx| {
        binding.with_scope(cx, |_, scope| {
            let section = ReadSection::enter(scope.platform());
            let failed = scope.child::<Node>(Device::new(&log, "child")).unwrap_err();
            assert_eq!(
                (failed.error, failed.device.name),
                (Error::Deadlock, "child")
            );
            drop(section);
            assert!(scope.child::<Node>(failed.device).is_ok());
        });
    });
    remove(binding);
    platform.assert_at_rest();
}

/// And the other comes back when the child is gone.
pub fn of_two_unbinds_one_has_the_device<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let began = Arc::new(AtomicUsize::new(0));
    let slow = {
        let began = began.clone();
        move |_: &Device<_>| {
            // Both are at it, or as good as.
            wait_until(|| began.load(SeqCst) == 2);
            thread::sleep(Duration::from_millis(10));
        }
    };
    let device = Device::new(&log, "parent").child(Device::new(&log, "child").at_remove(slow));
    let binding = bind(&platform, device);
    let won = AtomicUsize::new(0);
    binding.with(|data| {
        let child = data.children[0];
        thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    began.fetch_add(1, SeqCst);
                    let unbound = platform.lend_sleep(|cx| child.unbind(cx));
                    assert_eq!(log.count("child: data"), 1);
                    match unbound {
                        Ok(_device) => _ = won.fetch_add(1, SeqCst),
                        Err(error) => assert_eq!(error, Error::Gone),
                    }
                });
            }
        });
    });
    assert_eq!(won.load(SeqCst), 1);
    remove(binding);
    assert_eq!(log.count("child: remove"), 1);
    platform.assert_at_rest();
}

/// A handle for the rest of the world.
struct Handle;
impl Family for Handle {
    type At<'a> = Child<'a, Node, Metered<OnCounted>>;
}

/// Where sections are counted, a guard does not keep its holder from unbinding. So an unbind meets the parent's teardown, which waits for it.
#[test]
fn a_teardown_waits_for_an_unbind_that_has_begun() {
    let platform = Metered::<OnCounted>::fresh();
    let log = platform.log();
    let [removing, goes_on] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let at_remove = {
        let (removing, goes_on) = (removing.clone(), goes_on.clone());
        move |child: &Device<_>| {
            removing.store(true, SeqCst);
            wait_until(|| goes_on.load(SeqCst));
            assert_eq!(child.call_parent(), Ok("parent"));
        }
    };
    let device = Device::new(&log, "parent").child(Device::new(&log, "child").at_remove(at_remove));
    let binding = bind(&platform, device);
    let handle: Devres<Handle, _> = platform.lend_sleep(|cx| {
        binding.with_scope(cx, |data, scope| {
            let bound = scope.devres::<Handle>(data.children[0]);
            bound.unwrap().devres()
        })
    });
    thread::scope(|threads| {
        threads.spawn(|| {
            let unbound = handle
                .try_access_with(|child| platform.lend_sleep(|cx| child.unbind(cx)))
                .expect("bound");
            assert_eq!(unbound.unwrap().name, "child");
        });
        wait_until(|| removing.load(SeqCst));
        threads.spawn(|| remove(binding));
        let is_there = |end: &str| log.lines().iter().any(|line| line.ends_with(end));
        // It waits, and says so after a second; then it goes on.
        wait_until(|| is_there("still waiting for child"));
        assert_eq!(log.count("parent: remove"), 0);
        goes_on.store(true, SeqCst);
        wait_until(|| is_there(": child child: was running, waited for"));
    });
    assert_eq!(log.count("child: remove"), 1);
    assert_eq!(log.count("parent: remove"), 1);
    drop(handle);
    platform.assert_at_rest();
}
