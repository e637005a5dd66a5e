//! [`Lock`]: what it guards is ordinary memory.

use std::sync::Arc;

use driver_scope::Lock;
use loom::thread;

use crate::common::{bump, Plain};
use crate::platform::LoomPlatform;

/// Two that add one.
///
/// Fails when weakened by `lock-not-taken`, `lock-not-given-back`.
#[test]
fn one_holder_at_a_time_and_each_sees_the_last() {
    loom::model(|| {
        let lock = Arc::new(Lock::<_, LoomPlatform>::new(Plain::new(0)));
        let other = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || bump(&lock.lock()))
        };
        bump(&lock.lock());
        other.join().unwrap();
        assert_eq!(lock.lock().get(), 2);
    });
}
