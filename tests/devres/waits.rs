//! Who reads a resource is waited for.

use super::*;

/// Dead or alive, told by itself: the memory of a payload stays for as long as there are handles.
struct Canary {
    alive: AtomicUsize,
    dropped: Arc<AtomicUsize>,
}

const ALIVE: usize = 0x600d_600d;

impl Canary {
    fn new(dropped: &Arc<AtomicUsize>) -> Self {
        Canary {
            alive: AtomicUsize::new(ALIVE),
            dropped: Arc::clone(dropped),
        }
    }

    fn check(&self) {
        assert_eq!(self.alive.load(SeqCst), ALIVE, "read after its drop");
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.check();
        self.alive.store(0xdead, SeqCst);
        self.dropped.fetch_add(1, SeqCst);
    }
}

pub fn many_threads_read_while_the_driver_is_removed<P: TestPlatform>() {
    const THREADS: usize = 4;
    const ACCESSES: usize = rounds(10_000, 200);
    let platform = Metered::<P>::fresh();
    let dropped = Arc::default();
    let accesses = AtomicUsize::new(0);
    thread::scope(|threads| {
        platform
            .lend_sleep(|cx| {
                enter(platform.clone(), cx, &(), |(), scope| {
                    let devres = scope.devres::<Plain<Canary>>(Canary::new(&dropped))?;
                    for number in 0..THREADS {
                        let devres = devres.devres();
                        let (accesses, dropped) = (&accesses, &dropped);
                        threads.spawn(move || {
                            while let Some(guard) = devres.try_access() {
                                guard.get().check();
                                if accesses.fetch_add(1, SeqCst) % 64 == number {
                                    // Inside for a while.
                                    thread::yield_now();
                                    let again = devres.clone();
                                    let refused = again.try_access_with(|it| it.check()).is_none();
                                    guard.get().check();
                                    // The remove has begun, and does not go back.
                                    assert!(!refused || devres.try_access().is_none());
                                }
                                guard.get().check();
                                assert_eq!(dropped.load(SeqCst), 0);
                            }
                        });
                    }
                    wait_until(|| accesses.load(SeqCst) >= ACCESSES);
                    Ok::<(), Error>(())
                })
            })
            .unwrap();
        assert_eq!(dropped.load(SeqCst), 1);
    });
    platform.assert_at_rest();
}

pub fn the_last_handle_races_with_the_remove<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    for round in 0..rounds(300, 10) {
        let dropped = Arc::default();
        let both = Arc::new(Barrier::new(2));
        let other = platform
            .lend_sleep(|cx| {
                enter(platform.clone(), cx, &(), |(), scope| {
                    let handle = scope
                        .devres::<Plain<Canary>>(Canary::new(&dropped))?
                        .devres();
                    let theirs = Arc::clone(&both);
                    let other = thread::spawn(move || {
                        theirs.wait();
                        for _ in 0..round % 50 {
                            std::hint::spin_loop();
                        }
                        drop(handle);
                    });
                    both.wait();
                    Ok::<_, Error>(other)
                })
            })
            .unwrap();
        // Whoever did it: when the scope has ended, it is done.
        assert_eq!(dropped.load(SeqCst), 1);
        other.join().unwrap();
        assert_eq!(dropped.load(SeqCst), 1);
        platform.assert_at_rest();
    }
}

/// Drops somebody's last handle while the scope ends, and sees what comes of it.
struct Meanwhile {
    handle: Mutex<Option<Outside<Metered<Host>>>>,
    log: Log,
}

impl Drop for Meanwhile {
    fn drop(&mut self) {
        let handle = self.handle.lock().unwrap().take().unwrap();
        thread::scope(|threads| {
            threads.spawn(move || drop(handle));
        });
        self.log.add("the last handle is gone");
    }
}

/// Two might drop the resource otherwise: the handle, and the remove, which has found it there.
#[test]
fn a_last_handle_that_comes_late_leaves_it_to_the_scope() {
    let platform = Metered::<Host>::fresh();
    let log = platform.log();
    let outside = platform
        .lend_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let handle = scope.devres::<Plain<Note>>(log.note("older"))?.devres();
                let newer = Meanwhile {
                    handle: Mutex::new(Some(handle)),
                    log: log.clone(),
                };
                Ok::<_, Error>(scope.devres::<Plain<Meanwhile>>(newer)?.devres())
            })
        })
        .unwrap();
    let mut lines = log.lines();
    lines.retain(|line| !line.starts_with("enter: "));
    assert_eq!(lines, ["the last handle is gone", "drop older"]);
    drop(outside);
    platform.assert_at_rest();
}

/// Removes the driver on a thread of its own, which says `"removed"` afterwards.
fn remove_elsewhere<'s, P: TestPlatform>(
    threads: &'s thread::Scope<'s, '_>,
    binding: Binding<Full, Metered<P>>,
) {
    threads.spawn(move || {
        let platform = binding.platform().clone();
        platform.lend_sleep(|cx| drop(binding.unbind(cx)));
        platform.log().add("removed");
    });
}

pub fn a_reader_is_waited_for<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, outside) = bind(&platform);
    thread::scope(|threads| {
        let guard = outside[0].try_access().unwrap();
        remove_elsewhere(threads, binding);
        wait_until(|| outside[0].try_access().is_none());
        thread::sleep(A_WHILE);
        // Its own payload is there, and so are the others'.
        assert_eq!(dropped(&log), [""; 0]);
        guard.get().log().add("the reader leaves");
        drop(guard);
        wait_until(|| log.count("removed") == 1);
    });
    let lines = log.lines();
    let at = |what: &str| lines.iter().position(|line| line == what).unwrap();
    assert!(at("the reader leaves") < at("drop two"));
    drop(outside);
    platform.assert_at_rest();
}

pub fn a_reader_that_does_not_leave_is_reported<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, outside) = bind(&platform);
    let stalled = || {
        let lines = log.lines();
        let report = "still waiting for readers of devres";
        lines.iter().any(|line| line.ends_with(report))
    };
    thread::scope(|threads| {
        let guard = outside[1].try_access().unwrap();
        remove_elsewhere(threads, binding);
        wait_until(stalled);
        assert_eq!(dropped(&log), [""; 0]);
        guard.get().log().add("still there");
        drop(guard);
    });
    assert_eq!(log.count("removed"), 1);
    assert_eq!(log.count("drop two"), 1);
    drop(outside);
    platform.assert_at_rest();
}

/// Not even when its thread has ended: the scope, with all that is in it, stays. So does the thread that removes.
pub fn a_forgotten_guard_keeps_the_scope<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, outside) = bind(&platform);
    let theirs = outside.clone();
    thread::spawn(move || mem::forget(theirs[0].try_access()))
        .join()
        .unwrap();
    let (send, removed) = mpsc::channel();
    thread::spawn(move || {
        let platform = binding.platform().clone();
        platform.lend_sleep(|cx| drop(binding.unbind(cx)));
        let _ = send.send(());
    });
    wait_until(|| {
        let lines = log.lines();
        lines
            .iter()
            .any(|line| line.ends_with("still waiting for readers of devres"))
    });
    assert!(removed.try_recv().is_err());
    assert_eq!(dropped(&log), [""; 0]);
    assert!(outside.iter().all(|handle| handle.try_access().is_none()));
}

pub fn a_section_holds_off_a_remove<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let (binding, outside) = bind(&platform);
    thread::scope(|threads| {
        let section = ReadSection::enter(&platform);
        let note = outside[0].try_access_with_guard(&section).unwrap();
        remove_elsewhere(threads, binding);
        wait_until(|| outside[0].try_access_with_guard(&section).is_none());
        thread::sleep(A_WHILE);
        assert_eq!(dropped(&log), [""; 0]);
        note.log().add("the reader leaves");
    });
    assert_eq!(log.count("drop one"), 1);
    drop(outside);
    platform.assert_at_rest();
}
