// Wrong: a `Revocable` of a long-lived reference becomes one of a short-lived reference; then the short-lived could be stored in it.
// Instead: shorten what a guard lends.
use std::cell::Cell;

use driver_scope::{platform::Sim, Revocable};

type Place<'a> = Revocable<Cell<&'a str>, Sim>;

fn shorten<'s, 'l: 's>(place: &'s Place<'l>) -> &'s Place<'s> {
    place
}

fn main() {}
