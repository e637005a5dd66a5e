//! A descriptor is passed to a device that looks at it all the time, and back.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::Arc;

use driver_scope::dma::Descriptor;
use driver_scope::{enter, DmaRing, Error};
use loom::sync::atomic::Ordering;
use loom::thread;

use crate::dma::device_side;
use crate::platform::LoomPlatform;

/// Its payload, and to whom it belongs.
#[derive(Clone, Copy)]
struct Passed {
    payload: [u64; 2],
    owner: u64,
}

impl Descriptor for Passed {
    type Words = [u64; 3];
    /// In the middle, so that neither the order of the words nor its reverse is right.
    const OWNER: usize = 1;
    fn to_words(self) -> [u64; 3] {
        [self.payload[0], self.owner, self.payload[1]]
    }
    fn from_words([first, owner, second]: [u64; 3]) -> Self {
        Passed {
            payload: [first, second],
            owner,
        }
    }
}

/// Runs `driver` beside a device that does something with the addresses of the three words. `seen` of both is added up; some execution must have seen something.
fn model(
    driver: impl Fn(DmaRing<'_, Passed, LoomPlatform>) -> usize + Send + Sync + Copy + 'static,
    device: impl Fn([u64; 3]) -> usize + Send + Sync + Copy + 'static,
) {
    let most = Arc::new(AtomicUsize::new(0));
    let found = Arc::clone(&most);
    loom::model(move || {
        let platform = LoomPlatform::new();
        platform.may_sleep(|cx| {
            enter(platform.clone(), cx, &(), |(), scope| {
                let dma = scope.dma(&(), 64)?;
                let ring = scope.dma_ring(dma, 1)?;
                let words = [0, 8, 16].map(|offset| ring.address() + offset);
                let device = thread::spawn(move || device(words));
                let seen = driver(ring);
                // The device is done before the scope ends.
                most.fetch_max(seen + device.join().unwrap(), SeqCst);
                Ok::<(), Error>(())
            })
            .expect("it is there");
        });
    });
    assert_eq!(found.load(SeqCst), 1, "it comes in time, too");
}

/// A device that finds itself the owner finds the rest of the descriptor.
///
/// Fails when weakened by `dma-publish-barrier`, `dma-publish-owner-last`.
#[test]
fn who_sees_itself_the_owner_sees_the_rest() {
    model(
        |ring| {
            let passed = Passed {
                payload: [7, 8],
                owner: 1,
            };
            ring.publish(0, passed).expect("it is there");
            0
        },
        |words| {
            // SAFETY: the driver waits for this thread before the scope ends.
            let [first, owner, second] = words.map(|word| unsafe { device_side(word) });
            if owner.load(Ordering::Acquire) == 0 {
                return 0;
            }
            assert_eq!(first.load(Ordering::Relaxed), 7);
            assert_eq!(second.load(Ordering::Relaxed), 8);
            1
        },
    );
}

/// A driver that finds itself the owner finds what the device wrote before it passed the descriptor back.
///
/// Fails when weakened by `dma-observe-barrier`, `dma-observe-owner-first`.
#[test]
fn what_is_passed_back_is_whole() {
    model(
        |ring| {
            let passed = ring.observe(0).expect("it is there");
            if passed.owner == 0 {
                return 0;
            }
            assert_eq!(passed.payload, [7, 8]);
            1
        },
        |words| {
            // SAFETY: as above.
            let [first, owner, second] = words.map(|word| unsafe { device_side(word) });
            first.store(7, Ordering::Relaxed);
            second.store(8, Ordering::Relaxed);
            owner.store(1, Ordering::Release);
            0
        },
    );
}
