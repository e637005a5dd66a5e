//! Models of the crate's races: every interleaving, and every value that a weak load may return, within the bounds that the
//! models name. `RUSTFLAGS="--cfg loom" cargo test --release --test loom` runs them; `README.md` beside this file says which
//! weakening of the crate each of them was seen to fail on.
#![cfg(loom)]

mod common;
mod foreign;
mod platform;

mod arm_against_shut;
mod arm_another_against_teardown;
mod cancel_against_cancel;
mod deferred_drop;
mod exclusion_in_lock;
mod expiry_while_running;
mod fire_against_cancel;
mod last_touch;
mod once_set_against_get;
mod register_at_once;
mod restart_against_cancel;
mod start_against_fire;
mod start_against_set;
mod start_against_teardown;
mod teardown_against_callback;
