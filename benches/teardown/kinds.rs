//! What ends, and how.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use driver_scope_benches::payload::now;
use driver_scope_benches::rivals::version;

use super::{by_hand, scoped, tasks};

/// What there is much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Armed,
    Idle,
    Values,
    Actions,
}

impl Group {
    pub const ALL: [Group; 4] = [Group::Armed, Group::Idle, Group::Values, Group::Actions];

    pub fn name(self) -> &'static str {
        match self {
            Group::Armed => "armed timers",
            Group::Idle => "idle timers",
            Group::Values => "owned values",
            Group::Actions => "actions at remove",
        }
    }
}

pub struct Kind {
    pub group: Group,
    pub name: &'static str,
    pub version: &'static str,
    pub ours: bool,
    /// Makes so many, ends them, and says how many nanoseconds the end took.
    pub end: fn(usize) -> u64,
}

/// How many tokens there are.
static TOKENS: AtomicUsize = AtomicUsize::new(0);

/// What each timer's callback has captured, and what an owned value is: its drop is counted, and costs everybody the same.
#[derive(Debug)]
pub struct Token(());

impl Token {
    pub fn new() -> Self {
        TOKENS.fetch_add(1, Relaxed);
        Token(())
    }

    /// For callbacks and actions that are to have it with them.
    pub fn hold(&self) {}
}

impl Drop for Token {
    fn drop(&mut self) {
        TOKENS.fetch_sub(1, Relaxed);
    }
}

/// When an end begins; sees that all are there.
pub fn begin(count: usize) -> u64 {
    assert_eq!(TOKENS.load(Relaxed), count, "some are not there");
    now()
}

/// How long it took; sees that none is left.
pub fn end(begin: u64) -> u64 {
    let took = now() - begin;
    assert_eq!(TOKENS.load(Relaxed), 0, "some are still there");
    took
}

/// Both, around an end that is a call.
pub fn timed<R>(count: usize, ending: impl FnOnce() -> R) -> (u64, R) {
    let begin = begin(count);
    let result = ending();
    (end(begin), result)
}

/// All of them; in each group first what the others are compared with.
pub fn all() -> Vec<Kind> {
    let new = |group, name, end| Kind {
        group,
        name,
        version: "",
        ours: false,
        end,
    };
    let ours = |group, name, end| Kind {
        ours: true,
        ..new(group, name, end)
    };
    let rival = |group, name, package, end| Kind {
        version: version(package),
        ..new(group, name, end)
    };
    vec![
        ours(
            Group::Armed,
            "driver-scope",
            scoped::armed as fn(usize) -> u64,
        ),
        new(
            Group::Armed,
            "by hand: shut each, drop the Vec",
            by_hand::armed,
        ),
        rival(
            Group::Armed,
            "tokio, JoinSet::shutdown",
            "tokio",
            tasks::join_set,
        ),
        rival(
            Group::Armed,
            "tokio-util, token and tracker",
            "tokio-util",
            tasks::token,
        ),
        rival(
            Group::Armed,
            "async-io, drop of the Vec",
            "async-io",
            tasks::async_io,
        ),
        ours(Group::Idle, "driver-scope", scoped::idle),
        new(
            Group::Idle,
            "by hand: shut each, drop the Vec",
            by_hand::idle,
        ),
        ours(Group::Values, "driver-scope", scoped::values),
        new(Group::Values, "by hand: Vec of Box", by_hand::boxes),
        ours(Group::Actions, "driver-scope", scoped::actions),
        new(
            Group::Actions,
            "by hand: Vec of Box<dyn FnOnce>",
            by_hand::actions,
        ),
        rival(
            Group::Actions,
            "scopeguard, Vec of boxed guards",
            "scopeguard",
            by_hand::guards,
        ),
    ]
}
