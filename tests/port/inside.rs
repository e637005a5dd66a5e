//! A driver is not removed inside a call.

use super::*;

/// A binding where calls can get at it.
struct Shelf<P: TestPlatform>(Mutex<Option<Bound<P>>>);

impl<P: TestPlatform> Shelf<P> {
    fn with(binding: Bound<P>) -> Self {
        Shelf(Mutex::new(Some(binding)))
    }
    fn put(&self, binding: Bound<P>) {
        *self.0.lock().unwrap() = Some(binding);
    }
    fn take(&self) -> Bound<P> {
        self.0.lock().unwrap().take().expect("it is there")
    }
}

/// Tries to remove the driver, and finds that it cannot be done here.
fn is_busy<P: TestPlatform>(platform: &Metered<P>, shelf: &Shelf<P>) {
    platform.lend_sleep(|cx| {
        let Err(Busy(binding)) = shelf.take().unbind(cx) else {
            panic!("removed inside a section");
        };
        shelf.put(binding);
    });
}

pub fn an_unbind_in_a_call_gives_the_binding_back<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let ((binding, port), (unrelated, other)) = (bind(&platform), bind(&platform));
    let shelf = Shelf::with(binding);
    // In its own call and in another's: either might be waited for by somebody who waits for this.
    for port in [&port, &other] {
        let answer = port.call(|data| {
            is_busy(&platform, &shelf);
            data.check()
        });
        assert_eq!(answer, Ok(ALIVE));
    }
    // It is whole, and can be removed here.
    assert_eq!(port.call(|data| data.check()), Ok(ALIVE));
    remove(shelf.take());
    assert_eq!(other.call(|data| data.check()), Ok(ALIVE));
    remove(unrelated);
    drop((port, other));
    platform.assert_at_rest();
}

pub fn an_unbind_in_a_section_gives_the_binding_back<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (binding, port) = bind(&platform);
    let shelf = Shelf::with(binding);
    {
        let _section = ReadSection::enter(&platform);
        is_busy(&platform, &shelf);
    }
    {
        let value = Revocable::new(platform.clone(), 7);
        let _guard = value.try_access().unwrap();
        is_busy(&platform, &shelf);
    }
    assert_eq!(port.call(|data| data.check()), Ok(ALIVE));
    remove(shelf.take());
    drop(port);
    platform.assert_at_rest();
}

/// Waits until a removal that was put off is over. The device goes last, after the memory.
fn until_removed<P: TestPlatform>(platform: &Metered<P>) {
    platform.meanwhile(|| wait_until(|| platform.log().count("drop device") == 1));
}

pub fn a_binding_may_be_dropped_in_its_own_call<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, port) = bind(&platform);
    let shelf = Shelf::with(binding);
    let answer = port.call(|data| {
        drop(shelf.take());
        thread::sleep(A_WHILE);
        log.add("the call ends");
        data.check()
    });
    assert_eq!(answer, Ok(ALIVE));
    until_removed(&platform);
    assert_order(
        &log,
        &["remove", "the call ends", "drop data", "drop device"],
    );
    assert_eq!(port.call(|data| data.check()), Err(Error::Gone));
    drop(port);
    platform.assert_at_rest();
}

/// Time that passes in the call does not have the removal done there.
pub fn a_binding_may_be_dropped_in_a_call_that_sleeps<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, port) = bind(&platform);
    let shelf = Shelf::with(binding);
    let answer = port.call(|data| {
        drop(shelf.take());
        platform.lend_sleep(|cx| platform.sleep(cx, 5.millis()));
        log.add("the call ends");
        data.check()
    });
    assert_eq!(answer, Ok(ALIVE));
    until_removed(&platform);
    assert_order(&log, &["the call ends", "drop data", "drop device"]);
}

pub fn two_bindings_may_drop_each_other_in_calls<P: TestPlatform>() {
    let platforms = [Metered::<P>::fresh(), Metered::<P>::fresh()];
    let [(one, into_one), (two, into_two)] = [bind(&platforms[0]), bind(&platforms[1])];
    let shelves = [Shelf::with(one), Shelf::with(two)];
    let inside = AtomicU32::new(0);
    thread::scope(|threads| {
        for (own, port) in [into_one, into_two].into_iter().enumerate() {
            let (shelves, inside) = (&shelves, &inside);
            threads.spawn(move || {
                port.call(|data| {
                    inside.fetch_add(1, SeqCst);
                    // Both are in their calls.
                    wait_until(|| inside.load(SeqCst) == 2);
                    drop(shelves[1 - own].take());
                    // Ended by the removal that the other has put off.
                    wait_until(|| data.device.removing.load(SeqCst));
                    data.check()
                })
                .unwrap();
            });
        }
    });
    for platform in &platforms {
        until_removed(platform);
        wait_until(|| platform.meter().live() == 0);
        assert_eq!(platform.log().count("drop data"), 1);
        platform.assert_at_rest();
    }
}
