//! What a resource may hold, and do in its drop.

use super::*;

/// Uses what it holds, when it is dropped.
struct User<'drv, P: Platform> {
    regs: Mmio<'drv, Regs, P>,
    timer: HrTimer<'drv, P>,
    owned: &'drv Note,
    /// Whether the scope is closing by then.
    closing: bool,
}

impl<P: Platform> Family for User<'static, P> {
    type At<'a> = User<'a, P>;
}

impl<P: Platform> Covariant for User<'static, P> {
    fn shorten<'s, 'l: 's>(x: &'s User<'l, P>) -> &'s User<'s, P> {
        x
    }
}

impl<P: Platform> Drop for User<'_, P> {
    fn drop(&mut self) {
        self.regs.write(WORD, self.regs.read(WORD) + 1);
        let (started, left) = if self.closing {
            (Err(Error::Closed), TryCancel::Idle)
        } else {
            (Ok(()), TryCancel::Cancelled)
        };
        assert_eq!(self.timer.start(3600.secs()), started);
        assert_eq!(self.timer.try_cancel(), left);
        self.owned.log().add("the user goes");
    }
}

type HeldUser<P> = Devres<User<'static, P>, P>;

pub fn a_payload_may_use_the_scope_in_its_drop<P: TestPlatform>() {
    for closing in [false, true] {
        let platform = Metered::<P>::fresh();
        let (log, region) = (platform.log(), memory_region(8));
        let outside = platform
            .lend_sleep(|cx| {
                enter(platform.clone(), cx, &(), |(), scope| {
                    let user = User {
                        regs: scope.map::<Regs>(&region)?,
                        timer: scope.hrtimer(|_| Restart::No)?,
                        owned: scope.own(log.note("owned"))?,
                        closing,
                    };
                    user.timer.start(3600.secs())?;
                    let devres: HeldUser<_> = scope.devres::<User<'static, _>>(user)?.devres();
                    devres.try_access_with(|user| user.regs.write(WORD, 7));
                    {
                        let guard = devres.try_access().unwrap();
                        assert!(guard.get().timer.is_active());
                        assert_eq!(guard.get().regs.read(WORD), 7);
                    }
                    let kept = closing.then(|| devres.clone());
                    drop(devres);
                    assert_eq!(log.count("the user goes"), usize::from(!closing));
                    Ok::<_, Error>(kept)
                })
            })
            .unwrap();
        assert!(outside.is_none_or(|outside| outside.try_access_with(|_| ()).is_none()));
        let lines = log.lines();
        let at = |what: &str| lines.iter().rposition(|line| line == what).unwrap();
        assert!(at("the user goes") < at("drop owned"));
        // Written to, while it was mapped.
        run_on(&platform, |scope| {
            assert_eq!(scope.map::<Regs>(&region)?.read(WORD), 8);
            Ok(())
        });
        assert_eq!(log.count("the user goes"), 1);
    }
}

/// A payload with handles: of itself, and of somebody else.
struct Holder<P: Platform> {
    /// Its type forgotten, or it would have no end.
    of_itself: OnceLock<Box<dyn Any + Send + Sync>>,
    of_another: Option<Devres<Plain<Note>, P>>,
    #[allow(dead_code)] // For its drop.
    note: Note,
}

impl<P: Platform> Drop for Holder<P> {
    fn drop(&mut self) {
        if let Some(of_itself) = self.of_itself.get() {
            let of_itself: &Devres<Plain<Self>, P> = of_itself.downcast_ref().unwrap();
            assert!(of_itself.try_access().is_none());
            drop(of_itself.clone());
        }
        if let Some(of_another) = &self.of_another {
            let there = of_another.try_access().is_some();
            self.note.log().add(if there { "there" } else { "gone" });
        }
    }
}

pub fn payloads_may_hold_handles<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();
    let holder = |of_another, name| Holder::<Metered<P>> {
        of_itself: OnceLock::new(),
        of_another,
        note: log.note(name),
    };
    run_on(&platform, |outer| {
        let payload = outer.devres::<Plain<Note>>(log.note("outer payload"))?;
        let nested = enter(platform.clone(), outer.may_sleep(), &(), |(), scope| {
            // The last handle of another scope's resource, in a payload of this one.
            scope.devres::<Plain<_>>(holder(Some(payload.devres()), "unused"))?;
            drop(payload);
            assert_eq!(log.count("there"), 1);
            assert_eq!(log.count("drop outer payload"), 1);

            // A handle of a sibling, and in a circle.
            let sibling = scope.devres::<Plain<Note>>(log.note("sibling"))?;
            let circle = scope.devres::<Plain<_>>(holder(Some(sibling.devres()), "circle"))?;
            let of_itself = circle.devres();
            circle.try_access_with(|holder| {
                assert!(holder.of_itself.set(Box::new(of_itself)).is_ok())
            });
            Ok::<(), Error>(())
        });
        assert_eq!(nested, Ok(()));
        // Both were refused by the time: readers had been waited for.
        assert_eq!(log.count("gone"), 1);
        assert_eq!(log.count("drop circle"), 1);
        assert_eq!(log.count("drop sibling"), 1);
        Ok(())
    });
}

pub fn a_payload_may_panic_in_its_drop<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    platform.expect_panics();
    let log = platform.log();
    let outside = platform
        .lend_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                scope.own(log.note("owned"))?;
                let first = scope.devres::<Plain<Note>>(log.note("first"))?;
                let bad = scope.named("bad").devres::<Plain<Note>>(log.mine("bad"))?;
                let last = scope.devres::<Plain<Note>>(log.note("last"))?;
                // A last handle has the panic out to who drops it; its section is left all the same.
                let mine = scope.devres::<Plain<Note>>(log.mine("mine"))?;
                assert!(catch_unwind(AssertUnwindSafe(|| drop(mine))).is_err());
                Ok::<_, Error>([first, bad, last].map(|bound| bound.devres()))
            })
        })
        .unwrap();
    assert_eq!(
        dropped(&log),
        [
            "drop mine",
            "drop last",
            "drop bad",
            "drop first",
            "drop owned"
        ]
    );
    assert_eq!(log.count("enter: bad panicked"), 1);
    assert!(outside.iter().all(|handle| handle.try_access().is_none()));
    drop(outside);
    assert_eq!(dropped(&log).len(), 5);
    platform.assert_at_rest();
}
