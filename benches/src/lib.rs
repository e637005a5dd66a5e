//! What the benches share: the register that is read, the ways to it, and a harness that measures all of them in turn.
//!
//! Linux only: strategy (c) is membarrier(2).

pub mod batch;
pub mod cargo;
pub mod driver;
pub mod guarded;
#[path = "../../tests/common/hand_on.rs"]
mod hand_on;
pub mod machine;
pub mod payload;
pub mod platform;
pub mod progress;
pub mod report;
pub mod rivals;
pub mod rounds;
pub mod stats;
pub mod timerfd;
pub mod watch;
