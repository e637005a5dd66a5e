//! The heaps that our queue could have been: as a library would have them, intrusive and with handles.
//!
//! With each timer they can keep something else, `N`: what an engine notes of it, see [`checked`](super::checked).

use std::alloc::{alloc, dealloc, handle_alloc_error, Layout};
use std::ptr::{self, NonNull};

use super::subject::Container;

/// What there is for each timer, from a line of the cache on. It is only ever accessed by pointers, since some of it is looked at without the lock.
struct Lines<T> {
    first: NonNull<T>,
    count: usize,
}

impl<T> Lines<T> {
    fn new(count: usize, make: impl Fn() -> T) -> Self {
        let lines = Lines {
            // SAFETY: some bytes.
            first: NonNull::new(unsafe { alloc(Self::layout(count)) }.cast::<T>())
                .unwrap_or_else(|| handle_alloc_error(Self::layout(count))),
            count,
        };
        for timer in 0..count {
            // SAFETY: inside, and nothing there yet.
            unsafe { lines.at(timer).write(make()) };
        }
        lines
    }

    fn layout(count: usize) -> Layout {
        let layout = Layout::array::<T>(count).and_then(|layout| layout.align_to(64));
        layout.expect("there is memory for it")
    }

    #[inline(always)]
    fn at(&self, timer: usize) -> *mut T {
        assert!(timer < self.count);
        // SAFETY: inside.
        unsafe { self.first.as_ptr().add(timer) }
    }
}

impl<T> Drop for Lines<T> {
    fn drop(&mut self) {
        const { assert!(!std::mem::needs_drop::<T>()) };
        // SAFETY: it came from there.
        unsafe { dealloc(self.first.as_ptr().cast(), Self::layout(self.count)) };
    }
}

/// A heap that keeps an `N` with each timer.
pub trait Noted<N>: Container {
    /// How far the notes of two timers are apart, in bytes.
    const APART: usize;
    /// Where that of the first timer is. They stay there as long as the heap.
    fn first_note(&self) -> *const N;
}

/// In order of expiry, then of start.
type Key = (u64, u64);

/// A pairing heap: a tree in which no node comes before its parent. A new node becomes a child of the root, or the root; what comes of a removed
/// root's children is found by pairing them.
pub struct PairingHeap<N> {
    root: *mut PairNode<N>,
    started: u64,
    nodes: Lines<PairNode<N>>,
}

struct PairNode<N> {
    key: Key,
    child: *mut PairNode<N>,
    next: *mut PairNode<N>,
    /// The one before among its siblings, of the first of them the parent.
    prev: *mut PairNode<N>,
    note: N,
}

// SAFETY: its pointers lead to its own nodes.
unsafe impl<N: Send> Send for PairingHeap<N> {}

impl<N: Default> PairingHeap<N> {
    pub fn new(timers: usize) -> Self {
        let null = ptr::null_mut();
        PairingHeap {
            root: null,
            started: 0,
            nodes: Lines::new(timers, || PairNode {
                key: (0, 0),
                child: null,
                next: null,
                prev: null,
                note: N::default(),
            }),
        }
    }

    fn node(&mut self, timer: usize) -> *mut PairNode<N> {
        self.nodes.at(timer)
    }

    /// One tree of two.
    ///
    /// # Safety
    /// Both are roots of trees of valid nodes.
    #[inline(always)]
    unsafe fn link(a: *mut PairNode<N>, b: *mut PairNode<N>) -> *mut PairNode<N> {
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
    unsafe fn pair(mut node: *mut PairNode<N>) -> *mut PairNode<N> {
        let mut pairs: *mut PairNode<N> = ptr::null_mut();
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
            let mut root: *mut PairNode<N> = ptr::null_mut();
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
    unsafe fn remove(&mut self, node: *mut PairNode<N>) {
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

impl<N: Default + Send> Container for PairingHeap<N> {
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
            let timer = root.offset_from(self.nodes.first.as_ptr()) as usize;
            let at = (*root).key.0;
            self.remove(root);
            (timer, at)
        }
    }
    #[inline]
    fn next(&mut self) -> u64 {
        if self.root.is_null() {
            return u64::MAX;
        }
        // SAFETY: in the heap.
        unsafe { (*self.root).key.0 }
    }
}

impl<N: Default + Send> Noted<N> for PairingHeap<N> {
    const APART: usize = size_of::<PairNode<N>>();
    fn first_note(&self) -> *const N {
        // SAFETY: there is one timer at least; only its address is taken.
        unsafe { &raw const (*self.nodes.at(0)).note }
    }
}

/// A heap in an array, each node with four children; a timer knows where in it it is. The keys are in the array, so that a comparison touches no
/// timer.
pub struct FourHeap<N> {
    heap: Vec<(Key, u32)>,
    places: Lines<Place<N>>,
    started: u64,
}

/// Of each timer.
struct Place<N> {
    place: u32,
    note: N,
}

// SAFETY: its pointer leads to its own places.
unsafe impl<N: Send> Send for FourHeap<N> {}

const ARITY: usize = 4;

impl<N: Default> FourHeap<N> {
    pub fn new(timers: usize) -> Self {
        FourHeap {
            heap: Vec::with_capacity(timers),
            places: Lines::new(timers, || Place {
                place: 0,
                note: N::default(),
            }),
            started: 0,
        }
    }

    #[inline(always)]
    fn put(&mut self, place: usize, entry: (Key, u32)) {
        self.heap[place] = entry;
        // SAFETY: under the lock, like all of the heap.
        unsafe { (*self.places.at(entry.1 as usize)).place = place as u32 };
    }

    #[inline(always)]
    fn place(&self, timer: usize) -> usize {
        // SAFETY: as in `put`.
        unsafe { (*self.places.at(timer)).place as usize }
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

impl<N: Default + Send> Container for FourHeap<N> {
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
        self.remove(self.place(timer));
    }
    #[inline]
    fn restart(&mut self, timer: usize, at: u64) {
        self.started += 1;
        let entry = ((at, self.started), timer as u32);
        self.replace(self.place(timer), entry);
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

impl<N: Default + Send> Noted<N> for FourHeap<N> {
    const APART: usize = size_of::<Place<N>>();
    fn first_note(&self) -> *const N {
        // SAFETY: there is one timer at least; only its address is taken.
        unsafe { &raw const (*self.places.at(0)).note }
    }
}
