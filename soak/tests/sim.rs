//! A seed has one plan, and on `Sim` that has one transcript.
//!
//! In a process of its own: elsewhere a section on everything, of a plan on threads, would take time from this one.

use driver_scope_soak::chance::seed_of;
use driver_scope_soak::many::twice_on_sim;

#[test]
fn a_seed_has_one_transcript() {
    for number in 0..60 {
        let (book, _, failure) = twice_on_sim(seed_of(9, number));
        assert!(failure.is_none(), "plan {number}: {:?}", book.wrongs());
        assert!(book.transcript().len() > 2);
    }
}
