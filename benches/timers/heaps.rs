//! The heaps that our queue could have been: as a library would have them, intrusive and with handles.

use std::ptr;

use super::subject::Container;

/// In order of expiry, then of start.
type Key = (u64, u64);

/// A pairing heap: a tree in which no node comes before its parent. A new node becomes a child of the root, or the root; what comes of a removed
/// root's children is found by pairing them.
pub struct PairingHeap {
    root: *mut PairNode,
    started: u64,
    nodes: Box<[PairNode]>,
}

struct PairNode {
    key: Key,
    child: *mut PairNode,
    next: *mut PairNode,
    /// The one before among its siblings, of the first of them the parent.
    prev: *mut PairNode,
}

// SAFETY: its pointers lead to its own nodes.
unsafe impl Send for PairingHeap {}

impl PairingHeap {
    pub fn new(timers: usize) -> Self {
        let null = ptr::null_mut();
        PairingHeap {
            root: null,
            started: 0,
            nodes: (0..timers)
                .map(|_| PairNode {
                    key: (0, 0),
                    child: null,
                    next: null,
                    prev: null,
                })
                .collect(),
        }
    }

    fn node(&mut self, timer: usize) -> *mut PairNode {
        &raw mut self.nodes[timer]
    }

    /// One tree of two.
    ///
    /// # Safety
    /// Both are roots of trees of valid nodes.
    #[inline(always)]
    unsafe fn link(a: *mut PairNode, b: *mut PairNode) -> *mut PairNode {
        // SAFETY: the caller's promise.
        unsafe {
            let (first, second) = if (*a).key <= (*b).key { (a, b) } else { (b, a) };
            let child = (*first).child;
            (*second).next = child;
            (*second).prev = first;
            if !child.is_null() {
                (*child).prev = second;
            }
            (*first).child = second;
            (*first).next = ptr::null_mut();
            first
        }
    }

    /// One tree of siblings: of pairs from the front, then of those from the back.
    ///
    /// # Safety
    /// `node` is the first of a list of siblings, of valid nodes, or null.
    unsafe fn pair(mut node: *mut PairNode) -> *mut PairNode {
        let mut pairs: *mut PairNode = ptr::null_mut();
        // SAFETY: the caller's promise; each node is in one list at a time.
        unsafe {
            while !node.is_null() {
                let second = (*node).next;
                let (tree, rest) = if second.is_null() {
                    (node, second)
                } else {
                    let rest = (*second).next;
                    (Self::link(node, second), rest)
                };
                (*tree).next = pairs;
                pairs = tree;
                node = rest;
            }
            let mut root: *mut PairNode = ptr::null_mut();
            while !pairs.is_null() {
                let next = (*pairs).next;
                root = if root.is_null() {
                    (*pairs).next = ptr::null_mut();
                    pairs
                } else {
                    Self::link(root, pairs)
                };
                pairs = next;
            }
            root
        }
    }

    /// # Safety
    /// The node is in the heap.
    unsafe fn remove(&mut self, node: *mut PairNode) {
        // SAFETY: nodes in the heap are valid.
        unsafe {
            let children = (*node).child;
            let below = if children.is_null() {
                children
            } else {
                Self::pair(children)
            };
            if node == self.root {
                self.root = below;
                return;
            }
            let (prev, next) = ((*node).prev, (*node).next);
            if (*prev).child == node {
                (*prev).child = next;
            } else {
                (*prev).next = next;
            }
            if !next.is_null() {
                (*next).prev = prev;
            }
            if !below.is_null() {
                self.root = Self::link(self.root, below);
            }
        }
    }
}

impl Container for PairingHeap {
    #[inline]
    fn start(&mut self, timer: usize, at: u64) {
        self.started += 1;
        let key = (at, self.started);
        let node = self.node(timer);
        // SAFETY: the nodes are where they are; this one is in no heap, and so becomes a tree of one.
        unsafe {
            (*node).key = key;
            (*node).child = ptr::null_mut();
            (*node).next = ptr::null_mut();
            self.root = if self.root.is_null() {
                node
            } else {
                Self::link(self.root, node)
            };
        }
    }
    #[inline]
    fn cancel(&mut self, timer: usize) {
        let node = self.node(timer);
        // SAFETY: it is pending.
        unsafe { self.remove(node) };
    }
    #[inline]
    fn fire(&mut self) -> (usize, u64) {
        let root = self.root;
        assert!(!root.is_null(), "nothing is pending");
        // SAFETY: in the heap.
        unsafe {
            let timer = root.offset_from(self.nodes.as_ptr()) as usize;
            let at = (*root).key.0;
            self.remove(root);
            (timer, at)
        }
    }
    #[inline]
    fn next(&mut self) -> u64 {
        // SAFETY: in the heap, if any is.
        unsafe { self.root.as_ref() }.map_or(u64::MAX, |root| root.key.0)
    }
}

/// A heap in an array, each node with four children; a timer knows where in it it is. The keys are in the array, so that a comparison touches no
/// timer.
pub struct FourHeap {
    heap: Vec<(Key, u32)>,
    /// Of each timer.
    places: Box<[u32]>,
    started: u64,
}

const ARITY: usize = 4;

impl FourHeap {
    pub fn new(timers: usize) -> Self {
        FourHeap {
            heap: Vec::with_capacity(timers),
            places: vec![0; timers].into(),
            started: 0,
        }
    }

    #[inline(always)]
    fn put(&mut self, place: usize, entry: (Key, u32)) {
        self.heap[place] = entry;
        self.places[entry.1 as usize] = place as u32;
    }

    #[inline(always)]
    fn up(&mut self, mut place: usize, entry: (Key, u32)) {
        while place > 0 {
            let parent = (place - 1) / ARITY;
            let above = self.heap[parent];
            if above.0 <= entry.0 {
                break;
            }
            self.put(place, above);
            place = parent;
        }
        self.put(place, entry);
    }

    #[inline(always)]
    fn down(&mut self, mut place: usize, entry: (Key, u32)) {
        loop {
            let first = place * ARITY + 1;
            let last = (first + ARITY).min(self.heap.len());
            let Some(least) = (first..last).min_by_key(|&child| self.heap[child].0) else {
                break;
            };
            let below = self.heap[least];
            if entry.0 <= below.0 {
                break;
            }
            self.put(place, below);
            place = least;
        }
        self.put(place, entry);
    }

    /// Puts an entry where another was.
    #[inline(always)]
    fn replace(&mut self, place: usize, entry: (Key, u32)) {
        if place > 0 && self.heap[(place - 1) / ARITY].0 > entry.0 {
            self.up(place, entry);
        } else {
            self.down(place, entry);
        }
    }

    #[inline(always)]
    fn remove(&mut self, place: usize) {
        let last = self.heap.pop().expect("it is pending");
        if place < self.heap.len() {
            self.replace(place, last);
        }
    }
}

impl Container for FourHeap {
    #[inline]
    fn start(&mut self, timer: usize, at: u64) {
        self.started += 1;
        let entry = ((at, self.started), timer as u32);
        let place = self.heap.len();
        self.heap.push(entry);
        self.up(place, entry);
    }
    #[inline]
    fn cancel(&mut self, timer: usize) {
        self.remove(self.places[timer] as usize);
    }
    #[inline]
    fn restart(&mut self, timer: usize, at: u64) {
        self.started += 1;
        let entry = ((at, self.started), timer as u32);
        self.replace(self.places[timer] as usize, entry);
    }
    #[inline]
    fn fire(&mut self) -> (usize, u64) {
        let ((at, _), timer) = self.heap[0];
        self.remove(0);
        (timer as usize, at)
    }
    #[inline]
    fn next(&mut self) -> u64 {
        self.heap.first().map_or(u64::MAX, |first| first.0 .0)
    }
}
