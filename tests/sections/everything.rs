//! A section on everything: it covers many values, and holds off every revoke.

use super::*;

on_every_strategy!(
    nothing_is_bound_inside_a_section,
    a_section_covers_many_values,
    a_section_holds_off_every_revoke,
    sections_nest_with_each_other_and_with_guards,
    a_section_that_begins_later_is_not_waited_for,
    a_section_of_ones_own_is_a_deadlock,
    #[cfg_attr(miri, ignore = "it starts a process")]
    a_forgotten_section_holds_off_every_revoke,
    sections_of_another_platform,
);

on_every_platform!(
    a_section_holds_off_every_revoke,
    sections_of_another_platform,
);

/// Its probe could fail, and the end of that would wait for the section.
fn nothing_is_bound_inside_a_section<P: TestPlatform>() {
    struct Fails;
    impl<P: Platform> Driver<P> for Fails {
        type Device = Note;
        type Data<'drv> = ();
        type Error = Error;
        fn probe<'drv>(_: &'drv Note, scope: &DriverScope<'drv, P>) -> Result<(), Error> {
            scope.devres::<Plain<u32>>(7)?;
            Err(Error::NoDevice)
        }
    }

    let platform = Metered::<P>::fresh();
    let bind = || {
        let device = platform.log().note("device");
        let bound =
            platform.lend_sleep(|cx| Binding::<Fails, _>::bind(platform.clone(), device, cx));
        bound.expect_err("it fails").error
    };
    assert_eq!(bind(), Error::NoDevice);
    if P::TELLS {
        let section = ReadSection::enter(&platform);
        assert_eq!(bind(), Error::Deadlock);
        drop(section);
        // Inside a section on something else it is no matter.
        let value = noted(&platform, "value");
        let _guard = value.try_access();
        assert_eq!(bind(), Error::NoDevice);
    }
    assert_eq!(
        platform.log().count("drop device"),
        if P::TELLS { 3 } else { 1 }
    );
}

fn a_section_covers_many_values<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let values: Vec<_> = (0..100).map(|_| noted(&platform, "value")).collect();
    platform.lend_sleep(|cx| assert_eq!(values[7].revoke(cx), Ok(true)));
    let section = ReadSection::enter(&platform);
    let there = values
        .iter()
        .filter_map(|value| value.try_access_with_guard(&section));
    assert_eq!(there.inspect(|note| note.log().add("access")).count(), 99);
    assert!(values[7].try_access_with_guard(&section).is_none());
    drop(section);
    platform.lend_sleep(|cx| {
        for value in &values {
            value.revoke_within(cx, PLENTY).unwrap();
        }
    });
    assert_eq!(platform.log().count("access"), 99);
    assert_eq!(platform.log().count("drop value"), 100);
}

fn a_section_holds_off_every_revoke<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let values = [noted(&platform, "value"), noted(&platform, "value")];
    thread::scope(|threads| {
        let section = ReadSection::enter(&platform);
        // One that is used under it, and one that is not.
        let note = values[0].try_access_with_guard(&section).unwrap();
        let revokers: Vec<_> = values
            .iter()
            .map(|value| {
                let platform = &platform;
                threads.spawn(move || platform.lend_sleep(|cx| value.revoke(cx)))
            })
            .collect();
        wait_until(|| values.iter().all(Revocable::is_revoked));
        assert!(values[0].try_access_with_guard(&section).is_none());
        assert!(values[1].try_access_with_guard(&section).is_none());
        thread::sleep(A_WHILE);
        note.log().add("the reader leaves");
        drop(section);
        for revoker in revokers {
            assert_eq!(revoker.join().unwrap(), Ok(true));
        }
    });
    let dropped = "drop value";
    assert_eq!(log.lines(), ["the reader leaves", dropped, dropped]);
}

fn sections_nest_with_each_other_and_with_guards<P: TestPlatform>() {
    const DEPTH: usize = 12;
    let platform = Metered::<P>::fresh();
    let values: Vec<_> = (0..DEPTH).map(|_| noted(&platform, "value")).collect();
    let mut sections: Vec<_> = (0..DEPTH)
        .map(|_| Some(ReadSection::enter(&platform)))
        .collect();
    let mut guards: Vec<_> = values.iter().map(|value| value.try_access()).collect();
    for i in 0..DEPTH {
        drop(sections[(i * 5 + 2) % DEPTH].take());
        // The one whose guard goes now waits for the sections as well.
        drop(guards[(i * 7 + 3) % DEPTH].take());
        let value = &values[(i * 7 + 3) % DEPTH];
        let outcome = if i < DEPTH - 1 {
            Err(Error::TimedOut)
        } else {
            Ok(true)
        };
        let patience = if i < DEPTH - 1 {
            Duration::ZERO
        } else {
            PLENTY
        };
        assert_eq!(revoke_elsewhere(&platform, value, patience), outcome);
    }
    assert_eq!(platform.log().count("drop value"), 1);
}

/// Whenever somebody looks, there is a section; but each time it is another, which began after the value was closed.
fn a_section_that_begins_later_is_not_waited_for<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let value = noted(&platform, "value");
    let (asked, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (ask, answered) = (Arc::clone(&asked), Arc::clone(&done));
    *platform.meter().at_pause.lock().unwrap() = Some(Box::new(move || {
        let number = ask.fetch_add(1, SeqCst) + 1;
        wait_until(|| answered.load(SeqCst) > number);
    }));
    const END: usize = usize::MAX / 2;
    thread::scope(|threads| {
        threads.spawn(|| loop {
            let section = ReadSection::enter(&platform);
            let number = done.fetch_add(1, SeqCst) + 1;
            wait_until(|| asked.load(SeqCst) >= number);
            drop(section);
            if asked.load(SeqCst) >= END {
                break;
            }
        });
        // The first of them.
        wait_until(|| done.load(SeqCst) == 1);
        asked.store(1, SeqCst);
        wait_until(|| done.load(SeqCst) == 2);
        let outcome = platform.lend_sleep(|cx| {
            if P::TELLS {
                value.revoke_within(cx, 5.secs())
            } else {
                // A count does not tell one from the other.
                value.revoke_within(cx, 20.millis())
            }
        });
        asked.store(END, SeqCst);
        let expected = if P::TELLS {
            Ok(true)
        } else {
            Err(Error::TimedOut)
        };
        assert_eq!(outcome, expected);
    });
}

fn a_section_of_ones_own_is_a_deadlock<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let value = noted(&platform, "value");
    platform.lend_sleep(|cx| {
        let section = ReadSection::enter(&platform);
        if P::TELLS {
            assert_eq!(value.revoke(cx), Err(Error::Deadlock));
            assert!(value.try_access_with_guard(&section).is_some());
        } else {
            assert_eq!(value.revoke_within(cx, 5.millis()), Err(Error::TimedOut));
            assert!(value.try_access_with_guard(&section).is_none());
        }
        drop(section);
        // A guard of something else does not matter.
        let other = noted(&platform, "other");
        let _guard = other.try_access().unwrap();
        assert_eq!(value.revoke_within(cx, PLENTY), Ok(true));
    });
}

/// In a process of its own: it holds off everybody's.
fn a_forgotten_section_holds_off_every_revoke<P: TestPlatform>() {
    if !in_a_child(
        std::any::type_name::<P>(),
        "a_forgotten_section_holds_off_every_revoke",
    ) {
        return;
    }
    let platform = Metered::<P>::fresh();
    let value = noted(&platform, "value");
    let (forgotten, end) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|threads| {
        let reader = threads.spawn(|| {
            mem::forget(ReadSection::enter(&platform));
            forgotten.store(true, SeqCst);
            wait_until(|| end.load(SeqCst));
        });
        wait_until(|| forgotten.load(SeqCst));
        platform.lend_sleep(|cx| {
            assert_eq!(value.revoke_within(cx, 5.millis()), Err(Error::TimedOut));
            end.store(true, SeqCst);
            reader.join().unwrap();
            let expected = if P::TELLS {
                Error::Leaked
            } else {
                Error::TimedOut
            };
            assert_eq!(value.revoke_within(cx, 5.millis()), Err(expected));
        });
    });
    assert_eq!(platform.log().count("drop value"), 0);
    drop(value);
    assert_eq!(platform.log().count("drop value"), 1);
}

/// Whether this is a process for the test alone; if not, has one run it.
fn in_a_child(platform: &str, test: &str) -> bool {
    const CHILD: &str = "DRIVER_SCOPE_SECTIONS_CHILD";
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let strategy = match platform {
        name if name.contains("Counted") => "counted",
        name if name.contains("Fenced") => "fenced",
        _ => "membarrier",
    };
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("everything::{strategy}::{test}")])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{printed}"
    );
    false
}

fn sections_of_another_platform<P: TestPlatform>() {
    let (here, there) = (Metered::<P>::fresh(), Metered::<P>::fresh());
    let value = noted(&here, "value");
    let section = ReadSection::enter(&there);
    if P::OWN_SECTIONS {
        let refused = catch_unwind(AssertUnwindSafe(|| {
            value.try_access_with_guard(&section).is_some()
        }));
        assert!(
            refused.is_err(),
            "let in by a section that protects nothing"
        );
        assert_eq!(revoke_elsewhere(&here, &value, PLENTY), Ok(true));
    } else {
        let note = value.try_access_with_guard(&section).unwrap();
        let early = revoke_elsewhere(&here, &value, 5.millis());
        assert_eq!(early, Err(Error::TimedOut));
        note.log().add("access");
        drop(section);
        assert_eq!(revoke_elsewhere(&here, &value, PLENTY), Ok(true));
    }
    // A clone is the same platform.
    let value = noted(&here, "value");
    let clone = here.clone();
    let section = ReadSection::enter(&clone);
    assert!(value.try_access_with_guard(&section).is_some());
}
