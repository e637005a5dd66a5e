//! Values of every kind.

use super::*;

/// Knows where it is.
struct Pinned {
    at: Cell<*const Pinned>,
    dropped: Rc<Cell<bool>>,
    _pinned: PhantomPinned,
}

impl Drop for Pinned {
    fn drop(&mut self) {
        assert!(ptr::eq(self.at.get(), self));
        self.dropped.set(true);
    }
}

pub fn a_pinned_value_stays_where_it_is<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let dropped = Rc::new(Cell::new(false));
    let value = Box::pin(Revocable::new(
        platform.clone(),
        Pinned {
            at: Cell::new(ptr::null()),
            dropped: Rc::clone(&dropped),
            _pinned: PhantomPinned,
        },
    ));
    {
        let guard = value.as_ref().try_access_pin().unwrap();
        let pinned: Pin<&Pinned> = guard.as_ref();
        pinned.at.set(ptr::from_ref(pinned.get_ref()));
    }
    // Wherever its owner goes.
    let value = Box::new([value]);
    let guard = value[0].as_ref().try_access_pin().unwrap();
    assert!(ptr::eq(guard.at.get(), &raw const *guard));
    drop(guard);
    platform.lend_sleep(|cx| assert_eq!(value[0].revoke(cx), Ok(true)));
    assert!(dropped.get());
    assert!(value[0].as_ref().try_access_pin().is_none());
}

trait Speaks {
    fn speak(&self);
}

impl Speaks for Note {
    fn speak(&self) {
        self.log().add("speaks");
    }
}

pub fn values_may_be_unsized<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = platform.log();

    let notes = Revocable::new(platform.clone(), [log.note("one"), log.note("two")]);
    let slice: &Revocable<[Note], Metered<P>> = &notes;
    assert_eq!(slice.try_access().unwrap().len(), 2);
    platform.lend_sleep(|cx| assert_eq!(slice.revoke(cx), Ok(true)));
    assert!(notes.try_access().is_none());
    assert_eq!(log.lines(), ["drop one", "drop two"]);

    type Speaker<P> = Revocable<dyn Speaks + Send + Sync, P>;
    let speaker: Arc<Speaker<Metered<P>>> =
        Arc::new(Revocable::new(platform.clone(), log.note("three")));
    let elsewhere = Arc::clone(&speaker);
    let spoke = thread::spawn(move || elsewhere.try_access_with(|it| it.speak()));
    assert_eq!(spoke.join().unwrap(), Some(()));
    platform.lend_sleep(|cx| assert_eq!(speaker.revoke(cx), Ok(true)));
    assert_eq!(log.lines()[2..], ["speaks", "drop three"]);

    let boxed: Box<Speaker<Metered<P>>> =
        Box::new(Revocable::new(platform.clone(), log.note("four")));
    drop(boxed);
    assert_eq!(log.count("drop four"), 1);
}

/// Uses what it borrows, in its drop.
struct Borrows<'a>(&'a Log);

impl Drop for Borrows<'_> {
    fn drop(&mut self) {
        self.0.add("drop what borrows");
    }
}

pub fn values_may_borrow<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let log = Log::default();
    let value = Revocable::new(platform.clone(), Borrows(&log));
    value.try_access().unwrap().0.add("access");
    platform.lend_sleep(|cx| assert_eq!(value.revoke(cx), Ok(true)));
    drop(Revocable::new(platform.clone(), Borrows(&log)));
    let dropped = "drop what borrows";
    assert_eq!(log.lines(), ["access", dropped, dropped]);
}

pub fn values_of_one_thread_work_on_it<P: TestPlatform>() {
    let platform = Metered::<P>::fresh();
    let shared = Rc::new(Cell::new(1));
    let value = Revocable::new(platform.clone(), Rc::clone(&shared));
    value.try_access().unwrap().set(2);
    assert_eq!((shared.get(), Rc::strong_count(&shared)), (2, 2));
    platform.lend_sleep(|cx| assert_eq!(value.revoke(cx), Ok(true)));
    assert_eq!(Rc::strong_count(&shared), 1);
}
