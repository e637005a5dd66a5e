//! What is told, in words.

use std::string::ToString;

use super::*;

#[test]
fn states_are_told_in_words() {
    let at = |us: u64| Instant::from_nanos(us * 1000);
    let idle = Timer {
        armed: false,
        running: false,
        expires: Some(at(5)),
        vacant: false,
        panicked: false,
        runs: 0,
        missed: 0,
        merged: 0,
        refused: 0,
        latest: Duration::ZERO,
        longest: Duration::ZERO,
    };
    let armed = Timer {
        armed: true,
        ..idle
    };
    let words = |timer, now| State(Details::Timer(timer), now).to_string();
    assert_eq!(words(idle, None), "idle");
    assert_eq!(
        words(
            Timer {
                vacant: true,
                ..idle
            },
            None
        ),
        "vacant"
    );
    assert_eq!(
        words(
            Timer {
                panicked: true,
                ..idle
            },
            None
        ),
        "panicked"
    );
    assert_eq!(
        words(
            Timer {
                running: true,
                ..idle
            },
            None
        ),
        "running"
    );
    assert_eq!(words(armed, None), "armed for 0.000005000");
    assert_eq!(
        words(
            Timer {
                running: true,
                ..armed
            },
            Some(at(3))
        ),
        "running, due in 2.0µs"
    );
    assert_eq!(words(armed, Some(at(5))), "due in 0.0ns");
    assert_eq!(words(armed, Some(at(7))), "due for 2.0µs");

    let disabled = Irq {
        enabled: false,
        running: false,
        panicked: false,
        stormed: false,
        handled: 5,
        not_ours: 2,
    };
    let enabled = Irq {
        enabled: true,
        ..disabled
    };
    for (irq, state) in [
        (disabled, "disabled"),
        (enabled, "enabled"),
        (
            Irq {
                running: true,
                ..enabled
            },
            "running",
        ),
        (
            Irq {
                panicked: true,
                ..enabled
            },
            "panicked",
        ),
        (
            Irq {
                stormed: true,
                ..disabled
            },
            "disabled, switched off by a storm",
        ),
    ] {
        assert_eq!(irq.to_string(), [state, "; 5 handled, 2 not ours"].concat());
    }
}
