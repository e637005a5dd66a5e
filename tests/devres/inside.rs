//! Resources inside their scopes, and every family of them.

use super::*;

/// Keeps the resource in its data.
struct Keeper;

impl<P: TestPlatform> Driver<P> for Keeper {
    type Device = (Log, Region);
    type Data<'drv> = Bound<'drv, Mmio<'static, Regs, P>, P>;
    type Error = Error;

    fn probe<'drv>(
        (_, region): &'drv Self::Device,
        scope: &DriverScope<'drv, P>,
    ) -> Result<Self::Data<'drv>, Error> {
        let bound = scope.map::<Regs>(region)?.into_devres(scope)?;
        // What is accessed this way is as good as the handle itself.
        let regs: Mmio<'drv, Regs, P> = *bound.access(scope);
        regs.write(WORD, 1);
        scope.on_remove(move |_| regs.write(WORD, regs.read(WORD) * 10))?;
        Ok(bound)
    }
}

pub fn inside_its_scope_nothing_is_checked<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let region = memory_region(8);
    let device = (platform.log(), region.clone());
    platform.lend_sleep(|cx| {
        let binding = Binding::<Keeper, _>::bind(platform.clone(), device, cx)
            .map_err(|failed| failed.error)
            .unwrap();
        let outside = binding.with_scope(cx, |bound, scope| {
            let regs = bound.access(scope);
            regs.write(WORD, regs.read(WORD) + 1);
            // A clone is the same; a callback can keep one, and is checked.
            let (clone, refused) = (bound.clone(), bound.devres());
            assert_eq!(clone.access(scope).read(WORD), 2);
            let timer = scope.hrtimer(move |_| {
                clone.try_access().unwrap().get().write(WORD, 3);
                Restart::No
            });
            timer.unwrap().start(0.nanos()).unwrap();
            until(scope, || bound.access(scope).read(WORD) == 3);
            refused
        });
        let read = |outside: &Devres<_, _>| {
            outside.try_access_with(|regs: &Mmio<'_, Regs, _>| regs.read(WORD))
        };
        assert_eq!(read(&outside), Some(3));
        assert!(binding.unbind(cx).is_ok());
        assert_eq!(read(&outside), None);
    });
    run_on(&platform, |scope| {
        assert_eq!(scope.map::<Regs>(&region)?.read(WORD), 30);
        Ok(())
    });
}

pub fn a_resource_binds_to_its_own_scope_only<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    run_on(&platform, |outer| {
        let devres = outer.devres::<Plain<Note>>(log.note("payload"))?.devres();
        let bound = devres.bind(outer).expect("its own scope");
        bound.access(outer).log().add("access");
        let nested = enter(platform.clone(), outer.may_sleep(), &(), |(), inner| {
            // One that has no gates of its own yet, and one that has.
            assert!(devres.bind(inner).is_none());
            let theirs = inner.devres::<Plain<Note>>(log.note("theirs"))?;
            assert!(devres.bind(inner).is_none());
            assert!(theirs.bind(outer).is_none());
            assert!(theirs.bind(inner).is_some());
            Ok::<(), Error>(())
        });
        assert_eq!(nested, Ok(()));
        // It counts as a handle.
        drop(devres);
        assert_eq!(log.count("drop payload"), 0);
        bound.access(outer).log().add("access");
        drop(bound);
        assert_eq!(log.count("drop payload"), 1);
        Ok(())
    });
    // One whose scope is over binds to nothing.
    let gone = platform.lend_sleep(|cx| {
        enter(platform.clone(), cx, &(), |(), scope| {
            scope.devres::<Plain<u32>>(7).unwrap().devres()
        })
    });
    platform.lend_sleep(|cx| {
        enter(platform.clone(), cx, &(), |(), scope| {
            assert!(gone.bind(scope).is_none());
        });
    });
}

/// A struct of handles, of the author's own, that cannot be shortened.
struct Exact<'a, P: Platform> {
    timer: HrTimer<'a, P>,
    seen: Mutex<Vec<&'a Note>>,
}

impl<P: Platform> Family for Exact<'static, P> {
    type At<'a> = Exact<'a, P>;
}

pub fn every_family_can_be_read<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let (log, region) = (platform.log(), memory_region(8));
    run_on(&platform, |scope| {
        let fired = scope.own(AtomicUsize::new(0))?;
        let owned = scope.own(log.note("owned"))?;
        let timer = scope.hrtimer(move |_| {
            fired.fetch_add(1, SeqCst);
            Restart::No
        })?;

        let timers = scope.devres::<HrTimer<'static, _>>(timer)?.devres();
        timers.try_access().unwrap().get().start(0.nanos())?;
        until(scope, || fired.load(SeqCst) == 1);
        let notes = scope.devres::<&'static Note>(owned)?.devres();
        notes.try_access().unwrap().get().log().add("access");
        let regs = scope.map::<Regs>(&region)?.into_devres(scope)?.devres();
        let numbers = scope.devres::<Plain<[u64; 3]>>([1, 2, 3])?.devres();
        let exact = Exact {
            timer,
            seen: Mutex::new(vec![owned]),
        };
        let exact = scope.devres::<Exact<'static, _>>(exact)?;
        exact.try_access_with(|exact| {
            let first = exact.seen.lock().unwrap()[0];
            exact.seen.lock().unwrap().push(first);
            exact.timer.start(0.nanos()).unwrap();
        });
        until(scope, || fired.load(SeqCst) == 2);
        exact.access(scope).seen.lock().unwrap().push(owned);
        assert_eq!(exact.access(scope).seen.lock().unwrap().len(), 3);

        // All of them under one section, on another thread.
        let (timers, notes, regs, numbers) = (&timers, &notes, &regs, &numbers);
        let platform = &platform;
        thread::scope(|threads| {
            threads.spawn(move || {
                let section = ReadSection::enter(platform);
                let numbers = numbers.try_access_with_guard(&section).unwrap();
                let regs = regs.try_access_with_guard(&section).unwrap();
                regs.write(WORD, numbers[2] as u32);
                assert_eq!(regs.read(WORD), 3);
                let timer = timers.try_access_with_guard(&section).unwrap();
                assert!(timer.expires().is_some());
                notes
                    .try_access_with_guard(&section)
                    .unwrap()
                    .log()
                    .add("access");
            });
        });
        assert_eq!(log.count("access"), 2);
        Ok(())
    });
}
