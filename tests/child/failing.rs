//! Children that do not bind, and code of children that panics.

use super::*;

/// Tries to bind a child; what became of it.
fn try_child<P: TestPlatform>(
    binding: &Bound<P>,
    device: Device<Metered<P>>,
) -> Result<(), (Error, &'static str)> {
    binding.platform().lend_sleep(|cx| {
        binding.with_scope(cx, |_, scope| match scope.child::<Node>(device) {
            Ok(child) => {
                assert!(child.is_bound());
                Ok(())
            }
            Err(failed) => Err((failed.error, failed.device.name)),
        })
    })
}

pub fn a_failed_probe_gives_the_device_back<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let binding = bind(&platform, Device::new(&log, "parent"));
    let failing = Device::new(&log, "failing")
        .child(Device::new(&log, "its child"))
        .fate(Fate::Fail);
    let port = failing.own.clone();
    let failed = try_child(&binding, failing);
    assert_eq!(failed, Err((Error::NoDevice, "failing")));
    let port = port.lock().unwrap().take().unwrap();
    assert_eq!(port.call(|data| data.name()), Err(Error::Gone));
    let mut expected = removal("its child").to_vec();
    expected.extend(["failing: hook", "drop failing"].map(String::from));
    assert_eq!(lines(&log), expected);
    // The parent is as before.
    assert_eq!(
        binding.port().unwrap().call(|data| data.name()),
        Ok("parent")
    );
    assert_eq!(try_child(&binding, Device::new(&log, "child")), Ok(()));
    remove(binding);
    drop(port);
    platform.assert_at_rest();
}

pub fn without_memory_there_is_no_child<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let binding = bind(&platform, Device::new(&log, "parent"));
    // Fails at each ask for memory in turn, until there is none left that fails.
    let mut refused = 0;
    loop {
        platform.meter().refuse_from(refused + 1);
        let bound = try_child(&binding, Device::new(&log, "child"));
        platform.meter().refuse_from(0);
        match bound {
            Ok(()) => break,
            Err(failed) => assert_eq!(failed, (Error::NoMemory, "child")),
        }
        refused += 1;
    }
    // The block, its gates and its arena, at least.
    assert!(refused >= 3, "{refused}");
    assert_eq!(log.count("child: remove"), 0);
    remove(binding);
    assert_eq!(log.count("child: remove"), 1);
    platform.assert_at_rest();
}

pub fn a_failed_parent_unbinds_its_children<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    for fate in [Fate::Fail, Fate::Panic] {
        // Its probe has not returned, and never will.
        let removed = |child: &Device<_>| {
            assert_eq!(child.call_parent(), Err(Error::NotBound));
        };
        let device = Device::new(&log, "parent")
            .child(Device::new(&log, "child").at_remove(removed))
            .fate(fate);
        let bound = catch_unwind(AssertUnwindSafe(|| {
            platform.lend_sleep(|cx| {
                Binding::<Node, _>::bind(platform.clone(), device, cx)
                    .map(drop)
                    .map_err(|failed| failed.error)
            })
        }));
        match fate {
            Fate::Fail => assert_eq!(bound.ok(), Some(Err(Error::NoDevice))),
            _ => assert!(bound.is_err()),
        }
    }
    let mut expected = removal("child").to_vec();
    expected.extend(["parent: hook", "drop parent"].map(String::from));
    assert_eq!(lines(&log), [expected.clone(), expected].concat());
    platform.assert_at_rest();
}

pub fn a_probe_that_panics_leaves_the_parent_alone<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let binding = bind(&platform, Device::new(&log, "parent"));
    let panicking = Device::new(&log, "panicking")
        .child(Device::new(&log, "its child"))
        .fate(Fate::Panic);
    let panicked = catch_unwind(AssertUnwindSafe(|| try_child(&binding, panicking)));
    assert!(panicked.is_err());
    let mut expected = removal("its child").to_vec();
    expected.extend(["panicking: hook", "drop panicking"].map(String::from));
    assert_eq!(lines(&log), expected);
    assert_eq!(try_child(&binding, Device::new(&log, "child")), Ok(()));
    remove(binding);

    // Where nothing catches it, the parent's probe panics with it.
    let device = Device::new(&log, "parent")
        .child(Device::new(&log, "older"))
        .child(Device::new(&log, "panicking").fate(Fate::Panic));
    let panicked = catch_unwind(AssertUnwindSafe(|| bind(&platform, device)));
    assert!(panicked.is_err());
    assert_eq!(log.count("older: remove"), 1);
    assert_eq!(log.count("drop parent"), 2);
    platform.assert_at_rest();
}

pub fn a_panic_in_a_childs_end_skips_nothing<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let log = platform.log();
    let mut mined = Device::new(&log, "mined");
    leaked_on_purpose(mem::replace(&mut mined.note, log.mine("mined")));
    let device = Device::new(&log, "parent")
        .child(Device::new(&log, "older"))
        .child(Device::new(&log, "panicking").at_remove(|_| on_purpose("remove")))
        .child(mined);
    remove(bind(&platform, device));
    let expected = ["mined", "panicking", "older", "parent"]
        .map(removal)
        .concat();
    assert_eq!(lines(&log), expected);
    let ends = |line: &str| log.lines().iter().filter(|l| l.ends_with(line)).count();
    assert_eq!(ends(": child mined: panicked"), 1);
    assert_eq!(ends(": child panicking: unbound"), 1);
    assert_eq!(ends(": child older: unbound"), 1);
    platform.assert_at_rest();
}
