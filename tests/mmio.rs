//! Registers and device memory: each access reaches the device as it should, and what should not be reached is refused.
//!
//! Seen to fail with: bytes not swapped, parts that begin at the wrong place, no last look, bounds that wrap, and more; all of it is in `GUARDS.md`.

#[path = "mmio/bytes.rs"]
mod bytes;
mod common;
#[path = "mmio/device.rs"]
mod device;
#[path = "mmio/misfit.rs"]
mod misfit;
#[path = "mmio/poll.rs"]
mod poll;
#[path = "mmio/random.rs"]
mod random;
#[path = "mmio/steps.rs"]
mod steps;
#[path = "mmio/typed.rs"]
mod typed;
#[path = "mmio/watched.rs"]
mod watched;

use bytes::*;
use poll::*;
use random::*;
use typed::*;
use watched::*;

on_every_platform!(
    each_right_does_what_it_says,
    a_cleared_register_is_written_just_the_bits,
    a_taken_register_is_read_once,
    a_modified_register_is_read_and_written_once,
    elements_lie_a_stride_apart,
    elements_beyond_the_array_are_refused,
    blocks_nest,
    a_block_may_be_at_several_places_of_a_region,
    a_block_reaches_no_further_than_its_region,
    memory_of_a_block_is_where_it_says,
    a_big_endian_device_sees_its_own_order,
    the_order_of_bytes_is_each_blocks_own,
    values_with_fields_are_of_their_width,
    an_access_of_bytes_is_checked,
    a_block_of_bytes_is_checked,
    a_split_is_checked,
    parts_have_no_byte_in_common,
    bytes_are_copied_by_the_widest_accesses,
    words_are_copied_by_accesses_of_their_width,
    a_refused_copy_does_nothing,
    a_region_may_be_empty,
    any_steps_do_what_they_do_to_an_array,
    what_is_there_is_found_at_once,
    what_comes_later_is_found_later,
    a_time_out_is_kept,
    a_time_out_of_zero_is_one_look,
    a_look_is_made_after_the_time_out,
    a_pause_of_zero_moves_on,
    no_pause_is_longer_than_the_time_out,
    the_longest_time_out_is_no_time_out,
    the_error_of_a_look_is_passed_on,
    a_poll_tells_a_device_that_has_gone,
    all_ones_may_be_a_value,
    a_callback_may_spin,
    timers_are_late_behind_a_delay_but_not_lost,
    a_bus_may_know_that_a_device_has_vanished,
    only_what_is_ordered_is_ordered,
    one_access_of_a_copy_is_ordered,
);
