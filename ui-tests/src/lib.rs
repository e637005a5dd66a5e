//! The compile-fail tests of driver-scope: programs that the compiler must refuse, and what it says then.
//!
//! One mistake a file, in a folder for its kind; beside it, the expected message. `accept/` holds programs that must
//! compile and run. `tests/ui.rs` runs them all.

/// A bus with addresses, for the programs in `safe_mmio/`.
#[path = "../../tests/safe_mmio/memory.rs"]
pub mod memory;
