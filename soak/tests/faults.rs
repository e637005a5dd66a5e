//! Each check is seen to fail: plans are run with something wrong in them.

use std::sync::Arc;

use driver_scope_soak::book::Book;
use driver_scope_soak::chance::seed_of;
use driver_scope_soak::checks::Fault;
use driver_scope_soak::plan::{End, Form, Plan, Probe};
use driver_scope_soak::run::on_host;

/// A plan in which nothing fails.
fn plan(number: u64) -> Plan {
    let mut plan = Plan::of(seed_of(8, number));
    plan.lack = None;
    plan.form = Form::Bound;
    plan.end = End::Unbind;
    plan.machine.children.clear();
    plan.machine.probe = Probe::Binds;
    plan
}

/// Runs a few plans with something wrong in them, and looks for what should then be said.
fn finds(fault: Fault, said: &str) {
    let mut all = Vec::new();
    for number in 0..40 {
        let book = Arc::new(Book::with_fault(fault));
        on_host(&plan(number), &book);
        let wrongs = book.wrongs();
        if wrongs.iter().any(|wrong| wrong.contains(said)) {
            return;
        }
        all.extend(wrongs);
    }
    panic!("{fault:?} is not found; there was {all:?}");
}

#[test]
fn what_is_right_is_found_to_be_right() {
    for number in 0..40 {
        let book = Arc::new(Book::default());
        on_host(&plan(number), &book);
        assert_eq!(book.wrongs(), [""; 0], "plan {number}");
    }
}

#[test]
fn a_callback_after_the_end_is_found() {
    finds(
        Fault::LateEntry,
        "a callback is entered at step 6 of the end",
    );
}

#[test]
fn a_callback_beside_itself_is_found() {
    finds(Fault::BesideItself, "runs beside itself");
}

#[test]
fn a_callback_that_is_not_waited_for_is_found() {
    finds(Fault::InsideAtTheEnd, "Data while the driver runs");
}

#[test]
fn a_wrong_order_is_found() {
    finds(Fault::WrongOrder, "Remove comes after step 5");
}

#[test]
fn memory_that_is_kept_is_found() {
    finds(Fault::BlockKept, "1 blocks of memory are not given back");
}

#[test]
fn a_value_that_is_kept_is_found() {
    finds(Fault::ValueKept, "dropped");
}

#[test]
fn an_access_after_the_end_is_found() {
    finds(Fault::DeviceTouched, "the device is accessed after the end");
}

#[test]
fn a_transfer_after_the_end_is_found() {
    finds(
        Fault::MemoryReached,
        "the device reaches memory after the end",
    );
}

#[test]
fn a_mapping_after_the_end_is_found() {
    finds(Fault::MappingKept, "the registers are still mapped");
}

#[test]
fn a_call_after_the_remove_is_found() {
    finds(
        Fault::CallAfter,
        "a call is let in after the remove has begun",
    );
}

#[test]
fn an_access_to_what_was_lent_is_found() {
    finds(Fault::LentAfter, "what was lent is accessed after the end");
}

#[test]
fn an_access_to_what_was_revoked_is_found() {
    finds(
        Fault::RevokedRead,
        "a value is accessed after it was revoked",
    );
}

#[test]
fn a_panic_that_is_lost_is_found() {
    finds(Fault::PanicLost, "panics were thrown");
}

#[test]
fn a_table_that_lacks_something_is_found() {
    finds(Fault::Miscounted, "the table has");
    finds(Fault::RunsMiscounted, "runs, but entered");
}
