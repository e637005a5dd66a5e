//! A slot of a wheel: a list of nodes that leads through them.

use core::mem;
use core::ptr::{self, NonNull};

use crate::timer::queue::QueueNode;

/// A list of nodes, in order of their start.
#[doc(hidden)]
pub struct Slot {
    pub(super) first: *mut QueueNode,
    pub(super) last: *mut QueueNode,
    /// No node here expires before this. (One that is taken out leaves it as it is.)
    pub(super) earliest: u64,
}

impl Slot {
    pub(super) const EMPTY: Slot = Slot {
        first: ptr::null_mut(),
        last: ptr::null_mut(),
        earliest: 0,
    };

    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    // Here and in `remove`, where to write is chosen, and not what to do: whether a node has neighbours is like the toss of a coin, on which a branch would
    // be mispredicted half the time.

    /// Puts a node at the end.
    ///
    /// # Safety
    /// The node is valid, and so are all here.
    #[inline(always)]
    pub(super) unsafe fn push(&mut self, node: NonNull<QueueNode>, at: u64) {
        let last = mem::replace(&mut self.last, node.as_ptr());
        let earliest = if last.is_null() { at } else { self.earliest };
        self.earliest = earliest.min(at);
        // SAFETY: the caller's promise. [CALLER]
        unsafe {
            QueueNode::link(node, |link| {
                link.next = ptr::null_mut();
                link.prev = last;
            });
            let before = match NonNull::new(last) {
                None => &raw mut self.first,
                Some(last) => QueueNode::link(last, |link| &raw mut link.next),
            };
            *before = node.as_ptr();
        }
    }

    /// Takes a node out.
    ///
    /// # Safety
    /// The node is here, and all here are valid.
    #[inline(always)]
    pub(super) unsafe fn remove(&mut self, node: NonNull<QueueNode>) {
        // SAFETY: the caller's promise. [CALLER]
        unsafe {
            let (next, prev) = QueueNode::link(node, |link| (link.next, link.prev));
            let before = match NonNull::new(prev) {
                None => &raw mut self.first,
                Some(prev) => QueueNode::link(prev, |link| &raw mut link.next),
            };
            *before = next;
            let after = match NonNull::new(next) {
                None => &raw mut self.last,
                Some(next) => QueueNode::link(next, |link| &raw mut link.prev),
            };
            *after = prev;
        }
    }

    /// Takes out all nodes of `other`, and puts them at the end.
    ///
    /// # Safety
    /// All of both are valid.
    pub(super) unsafe fn append(&mut self, other: &mut Slot) {
        let other = mem::replace(other, Slot::EMPTY);
        let Some(first) = NonNull::new(other.first) else {
            return;
        };
        // SAFETY: the caller's promise. [CALLER]
        unsafe {
            QueueNode::link(first, |link| link.prev = self.last);
            match NonNull::new(self.last) {
                None => self.first = other.first,
                Some(last) => QueueNode::link(last, |link| link.next = other.first),
            }
        }
        self.last = other.last;
    }
}
