//! Models of the crate's races: every interleaving, and every value that a weak load may return, within the bounds that the
//! models name. `RUSTFLAGS="--cfg loom" cargo test --release --test loom` runs them; `README.md` beside this file says which
//! weakening of the crate each of them was seen to fail on.
#![cfg(loom)]

mod common;
mod dma;
mod foreign;
mod irqs;
mod platform;
mod readers;

mod arm_against_shut;
mod arm_another_against_teardown;
mod cancel_against_cancel;
mod child_against_parent;
mod deferred_drop;
mod descriptor_against_device;
mod devres_against_teardown;
mod exclusion_in_lock;
mod expiry_while_running;
mod fire_against_cancel;
mod flush_against_requeue;
mod gates_made_at_once;
mod inspect;
mod irq_against_teardown;
mod irq_disable_against_raise;
mod irq_during_registration;
mod last_devres_handle;
mod last_touch;
mod leaked_guard;
mod nested_devres;
mod once_set_against_get;
mod port_against_remove;
mod port_in_probe;
mod queue_against_teardown;
mod register_at_once;
mod restart_against_cancel;
mod revoke_against_access;
mod revoke_against_drop;
mod revoke_against_revoke;
mod revoke_in_access;
mod revoke_in_drop;
mod sections_beyond_cells;
mod sleep_against_close;
mod sleep_against_drop;
mod sleep_against_expiry;
mod start_against_fire;
mod start_against_set;
mod start_against_teardown;
mod start_elsewhere;
mod teardown_against_callback;
mod unbind_in_port;
mod work_requeue_against_cancel;
