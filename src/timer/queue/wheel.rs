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
//! The present is the expiry of the timer taken out last, or the instant at which there was none to take out. What is started for before that is kept apart, in a ring in
//! order of expiry. It is due at once, so there is seldom more than one. When the present goes back, as that of a clock which is set does, all nodes are put in
//! anew.

use core::ptr::NonNull;

use crate::timer::queue::QueueNode;

/// How large a [`Queue`](super::Queue) is: the more bits a digit has, the more memory it takes, and the fewer times a node moves.
pub trait Size: sealed::Size {
    /// How many bits a digit has.
    #[doc(hidden)]
    const BITS: u32;
    /// A slot for each value of each digit.
    #[doc(hidden)]
    type Slots: sealed::Slots;
}

/// Digits of 2 bits: 2 KiB on a machine of 64 bits. A timer that is far off moves up to 31 times.
#[derive(Debug)]
pub enum Small {}
/// Digits of 4 bits: 4 KiB. Up to 15 times.
#[derive(Debug)]
pub enum Medium {}
/// Digits of 6 bits: 11 KiB. Up to 10 times.
#[derive(Debug)]
pub enum Large {}

macro_rules! sizes {
    ($($size:ident: $bits:literal;)*) => {$(
        impl sealed::Size for $size {}
        impl Size for $size {
            const BITS: u32 = $bits;
            type Slots = [[Slot; 1 << $bits]; 64_usize.div_ceil($bits)];
        }
        impl sealed::Slots for [[Slot; 1 << $bits]; 64_usize.div_ceil($bits)] {
            const EMPTY: Self = [const { [const { Slot::EMPTY }; 1 << $bits] }; 64_usize.div_ceil($bits)];
            #[inline(always)]
            fn slot(&mut self, place: usize) -> &mut Slot {
                &mut self.as_flattened_mut()[place]
            }
            #[inline(always)]
            fn get(&self, place: usize) -> &Slot {
                &self.as_flattened()[place]
            }
        }
    )*};
}

sizes! {
    Small: 2;
    Medium: 4;
    Large: 6;
}

mod sealed {
    pub trait Size {}
    pub trait Slots {
        const EMPTY: Self;
        fn slot(&mut self, place: usize) -> &mut super::Slot;
        fn get(&self, place: usize) -> &super::Slot;
    }
}

use sealed::Slots as _;

/// A ring of nodes, in order of their start.
#[doc(hidden)]
pub struct Slot {
    first: Option<NonNull<QueueNode>>,
    /// No node here expires before this. (One that is taken out leaves it as it is.)
    earliest: u64,
}

impl Slot {
    const EMPTY: Slot = Slot {
        first: None,
        earliest: 0,
    };
}

/// The most levels that there are.
const LEVELS: usize = 32;

pub(super) struct Wheel<S: Size> {
    /// No node of the slots expires before this.
    present: u64,
    /// The first of those that were started for before the present.
    past: Option<NonNull<QueueNode>>,
    /// A bit for each level in use.
    levels: u32,
    /// For each level, a bit for each slot in use.
    used: [u64; LEVELS],
    slots: S::Slots,
}

/// The first of a wheel.
pub(super) enum First {
    /// This node, at this instant.
    Node(NonNull<QueueNode>),
    /// None before this instant.
    NotBefore(u64),
    /// None.
    None,
}

impl<S: Size> Wheel<S> {
    pub(super) const fn new() -> Self {
        Wheel {
            present: 0,
            past: None,
            levels: 0,
            used: [0; LEVELS],
            slots: sealed::Slots::EMPTY,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.levels == 0 && self.past.is_none()
    }

    /// Whether anything is kept as past.
    #[cfg(all(test, not(loom)))]
    pub(super) fn has_past(&self) -> bool {
        self.past.is_some()
    }

    /// Where a node that expires at `at` belongs: the number of its slot, all levels counted through.
    #[inline(always)]
    fn place(&self, at: u64) -> usize {
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

    /// Puts a node behind those that expire at the same instant.
    ///
    /// # Safety
    /// The node is valid, in no wheel, and stays valid until it is taken out.
    #[inline]
    pub(super) unsafe fn insert(&mut self, node: NonNull<QueueNode>, at: u64) {
        if at < self.present {
            // SAFETY: the caller's promise.
            return unsafe { self.insert_past(node, at) };
        }
        let place = self.place(at);
        let level = Self::level(place);
        self.levels |= 1 << level;
        self.used[level] |= 1 << Self::digit(place);
        let slot = self.slots.slot(place);
        slot.earliest = match slot.first {
            None => at,
            Some(_) => slot.earliest.min(at),
        };
        // SAFETY: the node is valid, says the caller, and so are those in the wheel.
        unsafe {
            QueueNode::link(node, |link| link.place = place as u16);
            match slot.first {
                None => slot.first = Some(alone(node)),
                Some(first) => put_before(first, node),
            }
        }
    }

    /// The same for an instant before the present.
    ///
    /// # Safety
    /// As for [`insert`](Self::insert).
    #[cold]
    unsafe fn insert_past(&mut self, node: NonNull<QueueNode>, at: u64) {
        // SAFETY: as in `insert`.
        unsafe {
            QueueNode::link(node, |link| link.place = PAST);
            let Some(first) = self.past else {
                self.past = Some(alone(node));
                return;
            };
            // From the back, to the last that does not expire later.
            let mut after = first;
            loop {
                let (prev, is_later) = {
                    let prev = NonNull::new_unchecked(QueueNode::link(after, |link| link.prev));
                    (prev, QueueNode::link(prev, |link| link.at) > at)
                };
                if !is_later {
                    put_before(after, node);
                    return;
                }
                after = prev;
                if after == first {
                    put_before(first, node);
                    self.past = Some(node);
                    return;
                }
            }
        }
    }

    /// Takes a node out.
    ///
    /// # Safety
    /// The node is in this wheel.
    #[inline]
    pub(super) unsafe fn remove(&mut self, node: NonNull<QueueNode>) {
        // SAFETY: nodes in the wheel are valid, and their neighbours are in it, too.
        unsafe {
            let (next, prev, place) =
                QueueNode::link(node, |link| (link.next, link.prev, link.place));
            let next = NonNull::new_unchecked(next);
            if next != node {
                QueueNode::link(next, |link| link.prev = prev);
                QueueNode::link(NonNull::new_unchecked(prev), |link| {
                    link.next = next.as_ptr();
                });
            }
            if place == PAST {
                if self.past == Some(node) {
                    self.past = (next != node).then_some(next);
                }
                return;
            }
            let place = usize::from(place);
            let slot = self.slots.slot(place);
            if next == node {
                slot.first = None;
                self.unused(place);
            } else if slot.first == Some(node) {
                slot.first = Some(next);
            }
        }
    }

    /// Notes that the node, which was taken out, is armed all the same: it is on its way to another wheel.
    ///
    /// # Safety
    /// The node is valid and in no wheel.
    pub(super) unsafe fn set_away(node: NonNull<QueueNode>) {
        // SAFETY: the caller's promise.
        unsafe { QueueNode::link(node, |link| link.place = AWAY) };
    }

    /// Whether that was noted of an armed node.
    ///
    /// # Safety
    /// The node is valid.
    #[inline(always)]
    pub(super) unsafe fn is_away(node: NonNull<QueueNode>) -> bool {
        // SAFETY: the caller's promise.
        unsafe { QueueNode::link(node, |link| link.place == AWAY) }
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
    pub(super) fn earliest(&self) -> Option<u64> {
        if let Some(first) = self.past {
            // SAFETY: nodes in the wheel are valid.
            return Some(unsafe { QueueNode::link(first, |link| link.at) });
        }
        Some(self.slots.get(self.first_slot()?).earliest)
    }

    /// The first node, if it expires at `now` or before. The present comes with it, and no further: what it starts for after its own instant
    /// comes before what is due later.
    pub(super) fn first(&mut self, now: u64) -> First {
        if now < self.present {
            self.rebase(now);
        }
        if let Some(first) = self.past {
            // SAFETY: nodes in the wheel are valid.
            let at = unsafe { QueueNode::link(first, |link| link.at) };
            return if at <= now {
                First::Node(first)
            } else {
                First::NotBefore(at)
            };
        }
        loop {
            let Some(place) = self.first_slot() else {
                self.present = self.present.max(now);
                return First::None;
            };
            let earliest = self.slots.get(place).earliest;
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
                return match self.slots.get(place).first {
                    Some(node) => First::Node(node),
                    None => First::None,
                };
            }
            let reached = earliest.min(now).max(self.present);
            if self.place(reached) == place {
                self.move_down(place, reached);
            } else {
                self.present = reached;
            }
            if earliest > now {
                return First::NotBefore(earliest);
            }
        }
    }

    /// The clock was set back: all nodes find their places anew. (Else whatever is started until it shows the old present again would be kept as past.)
    #[cold]
    fn rebase(&mut self, now: u64) {
        // All rings become one. Nodes for the same instant come from one ring, so they stay in their order.
        let mut all = self.past.take();
        while let Some(place) = self.first_slot() {
            let ring = self.slots.slot(place).first.take();
            self.unused(place);
            all = match (all, ring) {
                // SAFETY: both are rings of this wheel.
                (Some(all), Some(ring)) => Some(unsafe { join(all, ring) }),
                (all, ring) => all.or(ring),
            };
        }
        self.present = now;
        if let Some(all) = all {
            self.insert_ring(all);
        }
    }

    /// The present comes into a slot: its nodes move down.
    fn move_down(&mut self, place: usize, present: u64) {
        let slot = self.slots.slot(place);
        let Some(first) = slot.first.take() else {
            return;
        };
        self.unused(place);
        self.present = present;
        self.insert_ring(first);
    }

    /// Puts all nodes of a ring where they belong, in order.
    fn insert_ring(&mut self, first: NonNull<QueueNode>) {
        let mut node = first;
        loop {
            // SAFETY: nodes in the wheel are valid; each is out of its old ring when it comes into a new one, since what comes after it is known by then,
            // and of those before it nobody looks at the old links any more.
            unsafe {
                let (next, at) = QueueNode::link(node, |link| (link.next, link.at));
                self.insert(node, at);
                node = NonNull::new_unchecked(next);
            }
            if node == first {
                return;
            }
        }
    }

    #[inline(always)]
    fn first_slot(&self) -> Option<usize> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros() as usize;
        Some(level << S::BITS | self.used[level].trailing_zeros() as usize)
    }
}

/// A ring of one node.
///
/// # Safety
/// The node is valid.
#[inline(always)]
unsafe fn alone(node: NonNull<QueueNode>) -> NonNull<QueueNode> {
    // SAFETY: the caller's promise.
    unsafe {
        QueueNode::link(node, |link| {
            link.next = node.as_ptr();
            link.prev = node.as_ptr();
        });
    }
    node
}

/// Makes one ring of two; the second comes after the first.
///
/// # Safety
/// Both are whole, of valid nodes.
unsafe fn join(first: NonNull<QueueNode>, second: NonNull<QueueNode>) -> NonNull<QueueNode> {
    // SAFETY: the caller's promise.
    unsafe {
        let last_of = |ring: NonNull<QueueNode>| QueueNode::link(ring, |link| link.prev);
        let (end, last) = (last_of(first), last_of(second));
        QueueNode::link(NonNull::new_unchecked(end), |link| {
            link.next = second.as_ptr()
        });
        QueueNode::link(second, |link| link.prev = end);
        QueueNode::link(NonNull::new_unchecked(last), |link| {
            link.next = first.as_ptr()
        });
        QueueNode::link(first, |link| link.prev = last);
    }
    first
}

/// Puts a node into a ring, before another; before its first is at its end.
///
/// # Safety
/// Both are valid, as are those in the ring; `node` is in none.
#[inline(always)]
unsafe fn put_before(other: NonNull<QueueNode>, node: NonNull<QueueNode>) {
    // SAFETY: the caller's promise.
    unsafe {
        let prev = QueueNode::link(other, |link| {
            core::mem::replace(&mut link.prev, node.as_ptr())
        });
        QueueNode::link(NonNull::new_unchecked(prev), |link| {
            link.next = node.as_ptr();
        });
        QueueNode::link(node, |link| {
            link.next = other.as_ptr();
            link.prev = prev;
        });
    }
}

/// Not in a slot, but in the ring of what is past.
const PAST: u16 = u16::MAX;
/// Not in this wheel any more, and not yet in another.
const AWAY: u16 = u16::MAX - 1;
