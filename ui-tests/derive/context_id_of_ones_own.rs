// Wrong: the id of a context is made of any number. A wait for oneself is told by it.
// Instead: `ContextId::new(id)`, which returns none for what is no id; and it is for platforms.
// Refused: expected value, found struct `ContextId`
use std::num::NonZeroUsize;

use driver_scope::ContextId;

fn odd() -> Option<ContextId> {
    NonZeroUsize::new(3).map(ContextId)
}

fn main() {}
