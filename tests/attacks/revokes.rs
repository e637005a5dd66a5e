//! Revokes of a value in the midst of its revoke, in a callback: a wait for oneself, by way of another context of the same thread.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread;

use driver_scope::platform::registration::callback;
use driver_scope::platform::{Host, Sim};
use driver_scope::{enter, Error, Restart, Revocable, Units};

use crate::common::TestPlatform;

type Answers = Arc<Mutex<Vec<Result<bool, Error>>>>;

/// Revokes itself when it is dropped: there, in a callback there, and in work that is done there.
struct Reviver<P: TestPlatform> {
    platform: P,
    me: OnceLock<Weak<Revocable<Reviver<P>, P>>>,
    answers: Answers,
}

impl<P: TestPlatform> Drop for Reviver<P> {
    fn drop(&mut self) {
        let (platform, answers) = (&self.platform, &self.answers);
        let me = self.me.get().and_then(Weak::upgrade).unwrap();
        platform.lend_sleep(|cx| {
            let answer = me.revoke(cx);
            answers.lock().unwrap().push(answer);
            let answer = callback(|| me.revoke(cx));
            answers.lock().unwrap().push(answer);
        });
    }
}

fn a_value_revokes_itself_in_a_callback<P: TestPlatform>() {
    let platform = P::fresh();
    let answers = Answers::default();
    let value = Arc::new(Revocable::new(
        platform.clone(),
        Reviver {
            platform: platform.clone(),
            me: OnceLock::new(),
            answers: Arc::clone(&answers),
        },
    ));
    let me = Arc::downgrade(&value);
    assert!(value.try_access().unwrap().me.set(me).is_ok());
    platform.lend_sleep(|cx| assert_eq!(value.revoke(cx), Ok(true)));
    assert_eq!(*answers.lock().unwrap(), [Err(Error::Deadlock); 2]);
}

#[test]
fn a_value_revokes_itself_in_a_callback_of_host() {
    a_value_revokes_itself_in_a_callback::<Host>();
}

#[test]
fn a_value_revokes_itself_in_a_callback_of_sim() {
    a_value_revokes_itself_in_a_callback::<Sim>();
}

/// Time passes while a revoke waits, and with it comes work, on the same thread, that revokes the same.
#[test]
fn work_revokes_what_the_thread_beneath_it_revokes() {
    let sim = Sim::new();
    let value = Revocable::new(sim.clone(), 7);
    let [reads, tried] = [const { AtomicBool::new(false) }; 2];
    thread::scope(|threads| {
        threads.spawn(|| {
            let guard = value.try_access().unwrap();
            reads.store(true, SeqCst);
            while !tried.load(SeqCst) {
                thread::yield_now();
            }
            drop(guard);
        });
        while !reads.load(SeqCst) {
            thread::yield_now();
        }
        sim.may_sleep(|cx| {
            enter(
                sim.clone(),
                cx,
                &(&value, &tried),
                |&(value, tried), scope| {
                    let answer = scope.own(Mutex::new(None))?;
                    let work = scope.work(move |w| {
                        *answer.lock().unwrap() = Some(value.revoke(w.may_sleep()));
                        tried.store(true, SeqCst);
                        Restart::No
                    })?;
                    work.queue_after(1.micros())?;
                    assert_eq!(value.revoke(cx), Ok(true));
                    assert_eq!(*answer.lock().unwrap(), Some(Err(Error::Deadlock)));
                    Ok::<(), Error>(())
                },
            )
        })
        .unwrap();
    });
}
