//! Containers that timers are often kept in, and what the loops cost without any.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use intrusive_collections::{intrusive_adapter, KeyAdapter, RBTree, RBTreeLink, UnsafeRef};

use super::subject::{Container, Dice, Mix, Timers};

/// Nothing: what the loop costs.
pub struct Nothing;

impl Timers for Nothing {
    #[inline(always)]
    fn start(&self, timer: usize, at: u64) {
        std::hint::black_box((timer, at));
    }
    #[inline(always)]
    fn cancel(&self, timer: usize) {
        std::hint::black_box(timer);
    }
    #[inline(always)]
    fn restart(&self, timer: usize, at: u64) {
        std::hint::black_box((timer, at));
    }
    #[inline(always)]
    fn fire(&self) -> (usize, u64) {
        std::hint::black_box((0, 0))
    }
    #[inline(always)]
    fn next(&self) -> u64 {
        0
    }
}

/// The lock, and one write to the timer: what nothing that is behind the lock and touches its timer can do without. Any timer may be the one that fires, so here a random one
/// is.
pub struct Floor {
    lines: Box<[Line]>,
    dice: Dice,
}

#[derive(Clone)]
#[repr(align(64))]
struct Line(u64);

impl Floor {
    pub fn new(timers: usize) -> Self {
        Floor {
            lines: vec![Line(0); timers].into(),
            dice: Dice::new(Mix::Mixed, 5),
        }
    }
}

impl Container for Floor {
    #[inline]
    fn start(&mut self, timer: usize, at: u64) {
        self.lines[timer] = Line(at);
    }
    #[inline]
    fn cancel(&mut self, timer: usize) {
        std::hint::black_box(std::mem::take(&mut self.lines[timer].0));
    }
    #[inline]
    fn restart(&mut self, timer: usize, at: u64) {
        self.lines[timer] = Line(at);
    }
    #[inline]
    fn fire(&mut self) -> (usize, u64) {
        let roll = self.dice.roll();
        let timer = self.dice.one_of(roll, self.lines.len());
        std::hint::black_box(std::mem::take(&mut self.lines[timer].0));
        (timer, 0)
    }
    #[inline]
    fn next(&mut self) -> u64 {
        0
    }
}

/// By expiry, then by start.
type Key = (u64, u64);

/// `BTreeMap`, the timer's key kept beside it.
pub struct SortedMap {
    map: BTreeMap<Key, usize>,
    keys: Box<[Key]>,
    started: u64,
}

impl SortedMap {
    pub fn new(timers: usize) -> Self {
        SortedMap {
            map: BTreeMap::new(),
            keys: vec![(0, 0); timers].into(),
            started: 0,
        }
    }
}

impl Container for SortedMap {
    #[inline]
    fn start(&mut self, timer: usize, at: u64) {
        self.started += 1;
        let key = (at, self.started);
        self.keys[timer] = key;
        self.map.insert(key, timer);
    }
    #[inline]
    fn cancel(&mut self, timer: usize) {
        self.map.remove(&self.keys[timer]);
    }
    #[inline]
    fn fire(&mut self) -> (usize, u64) {
        let ((at, _), timer) = self.map.pop_first().expect("something is pending");
        (timer, at)
    }
    #[inline]
    fn next(&mut self) -> u64 {
        self.map
            .first_key_value()
            .map_or(u64::MAX, |(key, _)| key.0)
    }
}

/// `BinaryHeap`: what is cancelled stays in it until it comes to the top, or until more than half of it is of that kind.
pub struct LazyHeap {
    heap: BinaryHeap<Reverse<(Key, u32)>>,
    /// By which start each timer is pending; zero if it is not.
    current: Box<[u64]>,
    started: u64,
    pending: usize,
}

impl LazyHeap {
    pub fn new(timers: usize) -> Self {
        LazyHeap {
            heap: BinaryHeap::new(),
            current: vec![0; timers].into(),
            started: 0,
            pending: 0,
        }
    }
}

impl Container for LazyHeap {
    #[inline]
    fn start(&mut self, timer: usize, at: u64) {
        self.started += 1;
        self.current[timer] = self.started;
        self.pending += 1;
        self.heap.push(Reverse(((at, self.started), timer as u32)));
    }
    #[inline]
    fn cancel(&mut self, timer: usize) {
        self.current[timer] = 0;
        self.pending -= 1;
        if self.heap.len() > 2 * self.pending + 64 {
            let current = &self.current;
            self.heap
                .retain(|&Reverse(((_, start), timer))| current[timer as usize] == start);
        }
    }
    #[inline]
    fn fire(&mut self) -> (usize, u64) {
        loop {
            let Reverse(((at, start), timer)) = self.heap.pop().expect("something is pending");
            let timer = timer as usize;
            if self.current[timer] == start {
                self.current[timer] = 0;
                self.pending -= 1;
                return (timer, at);
            }
        }
    }
    #[inline]
    fn next(&mut self) -> u64 {
        while let Some(&Reverse(((at, start), timer))) = self.heap.peek() {
            if self.current[timer as usize] == start {
                return at;
            }
            self.heap.pop();
        }
        u64::MAX
    }
}

/// intrusive-collections' red-black tree, which Linux's hrtimers are in as well.
pub struct RedBlack {
    tree: RBTree<ByKey>,
    nodes: Box<[RedBlackNode]>,
    started: u64,
}

struct RedBlackNode {
    link: RBTreeLink,
    key: Cell<Key>,
}

intrusive_adapter!(ByKey = UnsafeRef<RedBlackNode>: RedBlackNode { link => RBTreeLink });

impl<'a> KeyAdapter<'a> for ByKey {
    type Key = Key;
    fn get_key(&self, node: &'a RedBlackNode) -> Key {
        node.key.get()
    }
}

// SAFETY: its pointers lead to its own nodes.
unsafe impl Send for RedBlack {}

impl RedBlack {
    pub fn new(timers: usize) -> Self {
        RedBlack {
            tree: RBTree::new(ByKey::new()),
            nodes: (0..timers)
                .map(|_| RedBlackNode {
                    link: RBTreeLink::new(),
                    key: Cell::new((0, 0)),
                })
                .collect(),
            started: 0,
        }
    }
}

impl Drop for RedBlack {
    fn drop(&mut self) {
        // The nodes need no unlinking, one by one.
        self.tree.fast_clear();
    }
}

impl Container for RedBlack {
    #[inline]
    fn start(&mut self, timer: usize, at: u64) {
        self.started += 1;
        let node = &self.nodes[timer];
        node.key.set((at, self.started));
        // SAFETY: the nodes live as long as the tree, and are only ever borrowed shared.
        self.tree.insert(unsafe { UnsafeRef::from_raw(node) });
    }
    #[inline]
    fn cancel(&mut self, timer: usize) {
        // SAFETY: it is pending, so in this tree.
        unsafe { self.tree.cursor_mut_from_ptr(&self.nodes[timer]) }.remove();
    }
    #[inline]
    fn fire(&mut self) -> (usize, u64) {
        let node = self
            .tree
            .front_mut()
            .remove()
            .expect("something is pending");
        let node = UnsafeRef::into_raw(node).cast_const();
        // SAFETY: one of the nodes.
        unsafe {
            let timer = node.offset_from(self.nodes.as_ptr()) as usize;
            (timer, (*node).key.get().0)
        }
    }
    #[inline]
    fn next(&mut self) -> u64 {
        self.tree
            .front()
            .get()
            .map_or(u64::MAX, |node| node.key.get().0)
    }
}
