//! What involves a scope's own parts, on `Host`: for the machine that this is built on.

#[cfg(not(feature = "scoped"))]
mod by_hand;
#[cfg(feature = "scoped")]
mod scoped;
