//! [`Once`]: two that set it, one that reads it.

use std::sync::Arc;

use driver_scope::Once;
use loom::thread;

use crate::common::Plain;

/// One of two wins, the other gets its value back; a reader finds nothing or all of it.
///
/// Fails when weakened by `once-set-release`, `once-get-acquire`, `once-two-writers`.
#[test]
fn one_value_wins_and_is_seen_whole() {
    loom::model(|| {
        let once = Arc::new(Once::new());
        let setters = [1, 2].map(|value| {
            let once = Arc::clone(&once);
            thread::spawn(move || once.set(Plain::new(value)).is_ok())
        });
        if let Some(value) = once.get() {
            assert!(matches!(value.get(), 1 | 2));
        }
        let won = setters.map(|setter| setter.join().unwrap());
        let value = once.get().expect("set").get();
        assert_eq!(won, [value == 1, value == 2]);
    });
}
