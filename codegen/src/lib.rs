//! The same functions twice: through driver-scope, and with `read_volatile`, `write_volatile` and the machine's barriers.
//!
//! `cargo xtask asm` builds both and compares the machine code, function by function. They are in two builds, since in one the
//! compiler would merge what is equal. For the same reason no two functions of one build do the same to the same register.

#![cfg_attr(not(feature = "host"), no_std)]

#[cfg(not(feature = "scoped"))]
mod by_hand;
#[cfg(feature = "scoped")]
mod scoped;

#[cfg(feature = "host")]
mod host;
