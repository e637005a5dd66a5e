//! What an author writes who has no scope: everything in a `Vec`, and a loop in the order that is right.

use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::time::Duration;

use driver_scope::platform::{Arm, Timers};
use driver_scope::timer::TimerMode;
use driver_scope::{Instant, Platform};
use driver_scope_benches::platform::{On, C};
use scopeguard::ScopeGuard;

use super::kinds::{timed, Token};

type P = On<C>;
type Node = <<P as Platform>::Timers as Timers>::Node;

/// A timer of the platform, and what its callback uses.
struct Timer {
    node: MaybeUninit<Node>,
    token: Token,
}

unsafe extern "C" fn entry(context: *const (), _expires: Instant) {
    // SAFETY: the context of the `init` below: a token in a box, which is dropped after the node was shut.
    unsafe { context.cast::<Token>().as_ref() }.map(Token::hold);
}

/// The timers of `Host`, the same that a scope has, without it.
fn timers(count: usize, armed: bool) -> u64 {
    let platform = P::shared();
    let system = platform.timers();
    let at = platform.now().checked_add(Duration::from_secs(3600));
    let at = at.expect("the clock has just begun");
    let mut all: Vec<NonNull<Timer>> = Vec::new();
    for _ in 0..count {
        let timer = Box::leak(Box::new(Timer {
            node: MaybeUninit::uninit(),
            token: Token::new(),
        }));
        let token = (&raw const timer.token).cast();
        let timer = NonNull::from(timer);
        // SAFETY: a box of its own, which is given back below, after the shut.
        unsafe {
            let node = (&raw mut (*timer.as_ptr()).node).cast::<Node>();
            system
                .init(node, TimerMode::new(), entry, token)
                .expect("an ordinary timer");
            if armed {
                let node = NonNull::new_unchecked(node);
                system.arm(node, at, None, Arm::Replace).expect("not shut");
            }
        }
        all.push(timer);
    }
    platform.may_sleep(|cx| {
        let end = || {
            // First nothing calls any more, then nothing is there any more.
            for timer in all.iter().rev() {
                // SAFETY: initialised above, and shut once.
                let state = unsafe {
                    let node = (&raw mut (*timer.as_ptr()).node).cast::<Node>();
                    system.shut(NonNull::new_unchecked(node), cx, &|| {})
                };
                assert_eq!(state.armed, armed);
            }
            while let Some(timer) = all.pop() {
                // SAFETY: from a box, initialised and shut; nothing refers to it.
                unsafe {
                    let mut timer = Box::from_raw(timer.as_ptr());
                    timer.node.assume_init_drop();
                }
            }
        };
        timed(count, end).0
    })
}

pub fn armed(count: usize) -> u64 {
    timers(count, true)
}

pub fn idle(count: usize) -> u64 {
    timers(count, false)
}

pub fn boxes(count: usize) -> u64 {
    let mut all: Vec<Box<Token>> = (0..count).map(|_| Box::new(Token::new())).collect();
    let end = || {
        // Newest first, as a scope does.
        while let Some(one) = all.pop() {
            drop(one);
        }
    };
    timed(count, end).0
}

pub fn actions(count: usize) -> u64 {
    let mut all: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
    for _ in 0..count {
        let token = Token::new();
        all.push(Box::new(move || drop(token)));
    }
    let end = || {
        while let Some(action) = all.pop() {
            action();
        }
    };
    timed(count, end).0
}

pub fn guards(count: usize) -> u64 {
    type Guard = ScopeGuard<Token, Box<dyn FnOnce(Token) + Send>>;
    let guard = |_| -> Guard { scopeguard::guard(Token::new(), Box::new(drop)) };
    let mut all: Vec<Guard> = (0..count).map(guard).collect();
    let end = || {
        while let Some(one) = all.pop() {
            drop(one);
        }
    };
    timed(count, end).0
}
