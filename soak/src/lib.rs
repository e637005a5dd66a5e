//! Random drivers, each removed in the middle of everything, and after each removal all is checked that can be.
//!
//! A *plan* ([`plan`]) comes from a number: what a driver has, what its callbacks and the threads outside do, what panics, and how it ends. It is
//! run on `Host`, with threads, or on `Sim`, where the threads' actions take turns and the whole goes by the number: the same plan has the same transcript.
//!
//! | | |
//! |---|---|
//! | [`plan`], [`chance`] | what is to happen, and how it is drawn |
//! | [`ground`] | a platform around `Host` or `Sim`: with one of three kinds of read sections, with its memory counted |
//! | [`hardware`] | a model of a device |
//! | [`driver`], [`callbacks`], [`acts`] | a driver that does what a plan says |
//! | [`fates`] | what becomes of handles |
//! | [`outside`] | what the rest of the world does |
//! | [`owner`] | binds, and removes |
//! | [`shared`] | what the driver and the rest of the world both have |
//! | [`book`], [`watch`], [`checks`] | what is noted of a plan and of a driver, and what must be so at the end |
//! | [`run`] | a plan from its begin to its end |
//! | [`report`] | what has happened how often |
//!
//! But for [`ground`], which is a platform, all of it is safe code, as drivers are.
#![deny(unsafe_code)]
#![allow(clippy::result_large_err)] // A bind that fails gives the device back.

pub mod acts;
pub mod book;
pub mod callbacks;
pub mod chance;
pub mod checks;
pub mod driver;
pub mod fates;
#[allow(unsafe_code)] // A platform is `unsafe` to implement.
pub mod ground;
#[path = "../../tests/common/hand_on.rs"]
mod hand_on;
pub mod hardware;
pub mod many;
pub mod outside;
pub mod owner;
pub mod plan;
pub mod report;
pub mod run;
pub mod shared;
pub mod watch;
