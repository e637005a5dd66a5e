//! What safe code did to get the better of a scope, and did not: each test is an attack, and asserts that it came to nothing.
//!
//! By what they use: other code in the midst of the crate's (`inside`), what is dropped where it should not be (`drops`), lines and memory (`devices`), threads that
//! come late (`late`), revokes inside of revokes (`revokes`), numbers (`numbers`).

mod common;
#[path = "attacks/devices.rs"]
mod devices;
#[path = "attacks/drops.rs"]
mod drops;
#[path = "attacks/inside.rs"]
mod inside;
#[path = "attacks/late.rs"]
mod late;
#[path = "attacks/numbers.rs"]
mod numbers;
#[path = "attacks/revokes.rs"]
mod revokes;

use devices::*;
use drops::*;
use inside::*;

on_every_platform!(
    a_visitor_registers_what_it_then_does_not_visit,
    a_model_drops_the_driver_that_accesses_it,
    a_register_calls_the_driver_that_reads_it,
    a_region_of_all_addresses_ends_at_its_end,
    items_are_called_like_what_is_inside_the_macro,
    a_destructor_has_scopes_of_its_own,
    a_lock_is_given_back_by_a_panic,
);

where_sections_tell!(
    a_payload_drops_the_binding_of_its_own_scope,
    a_waker_drops_the_driver_whose_sleep_it_waits_for,
);
