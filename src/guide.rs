//! The guide: how to write a driver with this crate, from wherever one comes.
//!
//! Each page takes five to ten minutes. All Rust code in them is compiled and run by the crate's tests, and what is said to be refused is refused.
//!
//! | page | for |
//! |---|---|
//! | [A first driver](first_driver) | whoever has 15 minutes: a driver from nothing, with registers, interrupt, timer, DMA, work, and its tests |
//! | [From C](from_c) | authors of kernel drivers: `remove()` line by line, and `devm_` |
//! | [From Linux's Rust](from_linux_rust) | users of `Data<'bound>`, `Devres` and `irq::Registration` |
//! | [From embassy, RTIC and user space](from_elsewhere) | authors of firmware and of user-space drivers |
//! | [Bringing a platform](bringing_a_platform) | whoever has a kernel, a machine or a runtime to put drivers on |
//! | [Errors](errors) | who got one at run time: each variant of [`Error`] |
//! | [Messages of the compiler](messages) | who got one at compile time: what it means, and the cure |
//! | [When not to use this crate](when_not) | everybody, before they begin |
//!
//! What the items do in detail is said where they are; why things are as they are, in the repository's `docs/design.md`, and why one can rely on
//! it, in `docs/soundness.md`.

// The pages name items of the crate as a driver does.
#[allow(unused_imports)]
use crate::*;

#[doc = include_str!("guide/first_driver.md")]
pub mod first_driver {}

#[doc = include_str!("guide/from_c.md")]
pub mod from_c {}

#[doc = include_str!("guide/from_linux_rust.md")]
pub mod from_linux_rust {}

#[doc = include_str!("guide/from_elsewhere.md")]
pub mod from_elsewhere {}

#[doc = include_str!("guide/bringing_a_platform.md")]
pub mod bringing_a_platform {}

#[doc = include_str!("guide/errors.md")]
pub mod errors {}

#[doc = include_str!("guide/messages.md")]
pub mod messages {}

#[doc = include_str!("guide/when_not.md")]
pub mod when_not {}
