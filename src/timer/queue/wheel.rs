//! Where the nodes of a queue are: by the bits in which their expiry and the present differ.
//!
//! Time is a number of 64 bits, read as digits of [`Size::BITS`] bits. A node whose expiry differs from the present in digit `l`, and in no higher one, lies
//! on level `l`, in the slot of its own digit there. So
//!
//! - the first slot in use of the lowest level in use holds the first node of all;
//! - all nodes of a slot on level 0 expire at the same instant, and lie there in the order in which they were started;
//! - when the present reaches a slot of a higher level, its nodes move down, in order, to levels that are empty until then. A node
//!   moves at most once for each level in its life.
//!
//! Starting and cancelling touch one slot, the node and its neighbours, whatever else is pending. (This is a radix heap, with more than two
//! slots on a level, and nodes that can be taken out anywhere.)
//!
//! What was started last has no slot yet: it is *fresh*, one of a few in an array. Most timers of a driver are time-outs, cancelled or put off long before they expire; one
//! that is cancelled while it is fresh has cost next to nothing. The array is emptied when it is full, and before anybody asks for the first node.
//!
//! A slot of many nodes moves down by and by, so many at a time: whoever waits for the queue's lock gets it in between. What is started meanwhile for the time of that slot joins it
//! at its end, so that the order stays.
//!
//! The present is the expiry of the timer taken out last, or the instant at which there was none to take out. What is started for before that is kept apart, in
//! order of expiry. It is due at once, so there is seldom more than one. When the present goes back, as that of a clock which is set does, all nodes are put in
//! anew.

use core::mem;
use core::ptr::{self, NonNull};

use crate::timer::queue::QueueNode;

mod size;
mod slot;

pub use size::{Large, Medium, Size, Small};

use size::sealed::Slots as _;
use slot::Slot;

/// The most levels that there are.
const LEVELS: usize = 32;

/// How many fresh nodes there can be.
const FRESH: usize = 16;

/// How many nodes of a slot move down at a time.
const AT_ONCE: usize = 64;

pub(super) struct Wheel<S: Size> {
    /// So many of the places for fresh ones, the first, are free. Never none.
    free: usize,
    /// Those that were started last, from the end on, in the order of their start; null where one was taken out since.
    fresh: [*mut QueueNode; FRESH],
    /// No node of the slots expires before this.
    present: u64,
    /// The level of the slot whose nodes are moving down, that of the present's digit there; 0 if none is.
    moving: usize,
    /// A bit for each level in use. (This and the next note more, perhaps: a slot from which the last node was taken out.)
    levels: u32,
    /// Those that were started for before the present, in order of expiry.
    past: Slot,
    /// For each level, a bit for each slot in use.
    used: [u64; LEVELS],
    slots: S::Slots,
}

/// The first of a wheel.
pub(super) enum First {
    /// This node, at this instant.
    Node(NonNull<QueueNode>),
    /// None before this instant; if that is the one asked for, there is more to be done first.
    NotBefore(u64),
    /// None.
    None,
}

impl<S: Size> Wheel<S> {
    pub(super) const fn new() -> Self {
        Wheel {
            free: FRESH,
            fresh: [ptr::null_mut(); FRESH],
            present: 0,
            moving: 0,
            levels: 0,
            past: Slot::EMPTY,
            used: [0; LEVELS],
            slots: size::sealed::Slots::EMPTY,
        }
    }

    /// Whether anything is kept as past.
    #[cfg(all(test, not(loom)))]
    pub(super) fn has_past(&mut self) -> bool {
        self.settle();
        !self.past.is_empty()
    }

    #[inline(always)]
    fn slot(&mut self, place: usize) -> &mut Slot {
        let slots = self.slots.as_slots();
        debug_assert!(place < slots.len());
        // SAFETY: `place` is from `place_of`, `moving_place` or `first_slot`, perhaps by way of a node: a level, of which there are as many as 64 bits have digits,
        // and a digit on it. [QUEUED]
        unsafe { slots.get_unchecked_mut(place) }
    }

    /// Where a node that expires at `at` belongs: the number of its slot, all levels counted through.
    #[inline(always)]
    fn place_of(&self, at: u64) -> usize {
        // Without a difference, level 0 as well.
        let highest = 63 - ((at ^ self.present) | 1).leading_zeros();
        let level = highest / S::BITS;
        let digit = (at >> (level * S::BITS)) & ((1 << S::BITS) - 1);
        (level as usize) << S::BITS | digit as usize
    }

    #[inline(always)]
    fn level(place: usize) -> usize {
        // (There is no level beyond: so the compiler need not look.)
        (place >> S::BITS) % LEVELS
    }

    #[inline(always)]
    fn digit(place: usize) -> usize {
        place & ((1 << S::BITS) - 1)
    }

    /// The slot whose nodes are moving down.
    fn moving_place(&self) -> usize {
        let digit = (self.present >> (self.moving as u32 * S::BITS)) & ((1 << S::BITS) - 1);
        self.moving << S::BITS | digit as usize
    }

    /// Puts a node behind those that expire at the same instant, which its link says.
    ///
    /// # Safety
    /// The node is valid, in no wheel, and stays valid until it is taken out.
    #[inline(always)]
    pub(super) unsafe fn insert(&mut self, node: NonNull<QueueNode>) {
        let free = self.free - 1;
        // SAFETY: there is a free place, always. The node is valid, says the caller. [QUEUED, CALLER]
        unsafe {
            *self.fresh.get_unchecked_mut(free) = node.as_ptr();
            QueueNode::set(node, |state| state.place = FRESH_PLACES + free as u16);
        }
        self.free = free;
        if free == 0 {
            self.settle();
        }
    }

    /// Gives the fresh nodes their slots.
    #[inline(never)]
    fn settle(&mut self) {
        let free = mem::replace(&mut self.free, FRESH);
        for place in (free..FRESH).rev() {
            let Some(node) = NonNull::new(self.fresh[place]) else {
                continue;
            };
            // SAFETY: nodes in the wheel are valid, and this one is now in no list. [QUEUED]
            unsafe { self.sort_in(node) };
        }
    }

    /// Puts a node into its slot.
    ///
    /// # Safety
    /// As for [`insert`](Self::insert).
    #[inline(always)]
    unsafe fn sort_in(&mut self, node: NonNull<QueueNode>) {
        // SAFETY: the caller's promise. [CALLER]
        unsafe {
            let at = QueueNode::link(node, |link| link.at);
            if at < self.present {
                return self.sort_in_past(node, at);
            }
            let mut place = self.place_of(at);
            if Self::level(place) < self.moving {
                place = self.moving_place();
            }
            self.put(node, at, place);
        }
    }

    /// # Safety
    /// As for [`insert`](Self::insert).
    #[inline(always)]
    unsafe fn put(&mut self, node: NonNull<QueueNode>, at: u64, place: usize) {
        // SAFETY: the caller's promise. [CALLER]
        unsafe {
            QueueNode::set(node, |state| state.place = place as u16);
            self.slot(place).push(node, at);
        }
        let level = Self::level(place);
        self.levels |= 1 << level;
        self.used[level] |= 1 << Self::digit(place);
    }

    /// The same for an instant before the present.
    ///
    /// # Safety
    /// As for [`insert`](Self::insert).
    #[cold]
    unsafe fn sort_in_past(&mut self, node: NonNull<QueueNode>, at: u64) {
        // SAFETY: the caller's promise; nodes in the wheel are valid. [QUEUED, CALLER]
        unsafe {
            QueueNode::set(node, |state| state.place = PAST);
            // From the back, to the last that does not expire later.
            let mut after = ptr::null_mut();
            let mut before = self.past.last;
            while let Some(other) = NonNull::new(before) {
                let (prev, is_later) = QueueNode::link(other, |link| (link.prev, link.at > at));
                if !is_later {
                    break;
                }
                (after, before) = (before, prev);
            }
            QueueNode::link(node, |link| {
                link.next = after;
                link.prev = before;
            });
            match NonNull::new(before) {
                None => self.past.first = node.as_ptr(),
                Some(before) => QueueNode::link(before, |link| link.next = node.as_ptr()),
            }
            match NonNull::new(after) {
                None => self.past.last = node.as_ptr(),
                Some(after) => QueueNode::link(after, |link| link.prev = node.as_ptr()),
            }
        }
    }

    /// Takes a node out; what its place says is no more true then.
    ///
    /// # Safety
    /// The node is in this wheel, or away.
    #[inline(always)]
    pub(super) unsafe fn remove(&mut self, node: NonNull<QueueNode>) {
        // SAFETY: nodes in the wheel are valid. [QUEUED, CALLER]
        let place = unsafe { QueueNode::state(node).place };
        let fresh = usize::from(place ^ FRESH_PLACES);
        if fresh < FRESH {
            self.fresh[fresh] = ptr::null_mut();
            // What is cancelled soon leaves nothing behind.
            if fresh == self.free {
                self.free = fresh + 1;
            }
        } else {
            // SAFETY: the caller's promise. [CALLER]
            unsafe { self.remove_sorted(node, place) };
        }
    }

    /// The same for one that is not fresh.
    ///
    /// # Safety
    /// As for [`remove`](Self::remove); `place` is the node's.
    #[inline(never)]
    unsafe fn remove_sorted(&mut self, node: NonNull<QueueNode>, place: u16) {
        // SAFETY: the node is in the list that its place says. [QUEUED, CALLER]
        unsafe {
            match place {
                AWAY => {}
                PAST => self.past.remove(node),
                // (Its slot may be empty then, and is still noted as in use.)
                _ => self.slot(usize::from(place)).remove(node),
            }
        }
    }

    #[inline(always)]
    fn unused(&mut self, place: usize) {
        let level = Self::level(place);
        self.used[level] &= !(1 << Self::digit(place));
        if self.used[level] == 0 {
            self.levels &= !(1 << level);
        }
    }

    /// No node expires before this. If that is the present, it has come; else it may turn out to be later, when it comes.
    pub(super) fn earliest(&mut self) -> Option<u64> {
        if self.free < FRESH {
            self.settle();
        }
        if let Some(first) = NonNull::new(self.past.first) {
            // SAFETY: nodes in the wheel are valid. [QUEUED]
            return Some(unsafe { QueueNode::link(first, |link| link.at) });
        }
        let mut place = self.first_slot()?;
        if self.moving > 0 {
            // What has not moved down yet may come before what has.
            let moving = self.moving_place();
            if !self.slot(moving).is_empty() {
                place = moving;
            }
        }
        Some(self.slot(place).earliest)
    }

    /// The first node, if it expires at `now` or before. The present comes with it, and no further: what it starts for after its own instant
    /// comes before what is due later.
    pub(super) fn first(&mut self, now: u64) -> First {
        if now < self.present {
            self.rebase(now);
        }
        if self.free < FRESH {
            self.settle();
        }
        if let Some(first) = NonNull::new(self.past.first) {
            // SAFETY: nodes in the wheel are valid. [QUEUED]
            let at = unsafe { QueueNode::link(first, |link| link.at) };
            return if at <= now {
                First::Node(first)
            } else {
                First::NotBefore(at)
            };
        }
        loop {
            if self.moving > 0 && !self.move_some() {
                return First::NotBefore(now);
            }
            let Some(place) = self.first_slot() else {
                self.present = self.present.max(now);
                return First::None;
            };
            let earliest = self.slot(place).earliest;
            if Self::level(place) == 0 {
                // The instant of all its nodes.
                let at = earliest;
                if at > now {
                    // Nothing is between: on this level, the slots before are not in use.
                    self.present = self.present.max(now);
                    return First::NotBefore(at);
                }
                self.present = at;
                // A slot in use is not empty.
                return match NonNull::new(self.slot(place).first) {
                    Some(node) => First::Node(node),
                    None => First::None,
                };
            }
            let reached = earliest.min(now).max(self.present);
            let is_inside = self.place_of(reached) == place;
            self.present = reached;
            if !is_inside {
                // So it is before the slot, and `earliest` later than `now`.
                return First::NotBefore(earliest);
            }
            // The present has come into the slot: its nodes move down.
            self.moving = Self::level(place);
        }
    }

    /// Moves nodes down, but not too many; says whether all have moved.
    fn move_some(&mut self) -> bool {
        let from = self.moving_place();
        for _ in 0..AT_ONCE {
            let Some(node) = NonNull::new(self.slot(from).first) else {
                self.unused(from);
                self.moving = 0;
                return true;
            };
            // SAFETY: nodes in the wheel are valid; this one is in that slot, and then in none. [QUEUED]
            unsafe {
                self.slot(from).remove(node);
                let at = QueueNode::link(node, |link| link.at);
                let place = self.place_of(at);
                self.put(node, at, place);
            }
        }
        false
    }

    /// The clock was set back: all nodes find their places anew. (Else whatever is started until it shows the old present again would be kept as past.)
    #[cold]
    fn rebase(&mut self, now: u64) {
        // All lists become one. Nodes for the same instant come from one list, or from two of which the second was to follow the first: so they stay in their order.
        let mut all = mem::replace(&mut self.past, Slot::EMPTY);
        while let Some(place) = self.first_slot() {
            // SAFETY: nodes in the wheel are valid. [QUEUED]
            unsafe { all.append(self.slot(place)) };
            self.unused(place);
        }
        self.present = now;
        self.moving = 0;
        let mut next = all.first;
        while let Some(node) = NonNull::new(next) {
            // SAFETY: nodes in the wheel are valid; this one's next is known before it changes, and nobody looks at the list `all` any more. [QUEUED]
            unsafe {
                next = QueueNode::link(node, |link| link.next);
                self.sort_in(node);
            }
        }
    }

    /// The first slot that is not empty.
    #[inline(always)]
    fn first_slot(&mut self) -> Option<usize> {
        loop {
            if self.levels == 0 {
                return None;
            }
            let level = self.levels.trailing_zeros() as usize;
            let place = level << S::BITS | self.used[level % LEVELS].trailing_zeros() as usize;
            if !self.slot(place).is_empty() {
                return Some(place);
            }
            self.unused(place);
        }
    }
}

// Places. Below `FRESH_PLACES` it is the number of the node's slot.

/// The places of the fresh ones come after this.
const FRESH_PLACES: u16 = 0x8000;
/// Not in a slot, but among what is past.
const PAST: u16 = 0xfffc;
/// Armed, but not in this wheel any more, and not yet in another.
pub(super) const AWAY: u16 = 0xfffd;
/// This and what is above is not armed.
pub(super) const NOWHERE: u16 = 0xfffe;
/// Not armed, and never was.
pub(super) const NEVER: u16 = 0xffff;
