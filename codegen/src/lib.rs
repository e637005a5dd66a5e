//! The same functions twice: through driver-scope, and with `read_volatile` and `write_volatile` on a raw pointer.
//!
//! `cargo xtask asm` builds both and compares the machine code, function by function. They are in two builds, since in one the
//! compiler would merge what is equal.

#[cfg(not(feature = "scoped"))]
mod raw;
#[cfg(feature = "scoped")]
mod scoped;
