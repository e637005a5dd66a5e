//! The strategies by which a model's platform remembers its read sections: counted in each gate, or noted in cells of each thread.
//!
//! A remote barrier cannot be modelled: loom's threads have fences of their own only. It differs from what is modelled in nothing but
//! which side pays for the fence.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use driver_scope::sections::{Cells, Counted, Readers, Sections, Slots, Stuck, Which};
use loom::sync::atomic::{fence, AtomicUsize, Ordering};

use crate::common;

/// Makes a test of each model for each strategy: `counted::model` and `slots::model`.
macro_rules! with_each_strategy {
    ($($model:ident),+ $(,)?) => {
        mod counted {
            $(
                #[test]
                fn $model() {
                    super::$model::<driver_scope::sections::Counted>();
                }
            )+
        }

        mod slots {
            $(
                #[test]
                fn $model() {
                    super::$model::<crate::readers::LoomSlots>();
                }
            )+
        }
    };
}
pub(crate) use with_each_strategy;

/// A strategy, and what the platform keeps to speak of its threads.
pub trait LoomSections: Sections + Sized + 'static {
    type Readers: Send + Sync;

    fn new() -> (Self, Self::Readers);
}

impl LoomSections for Counted {
    type Readers = ();

    fn new() -> (Self, ()) {
        (Counted::new(), ())
    }
}

pub type LoomSlots = Slots<LoomReaders>;

impl LoomSections for LoomSlots {
    type Readers = LoomReaders;

    fn new() -> (Self, LoomReaders) {
        let readers = LoomReaders(Arc::new(Sets {
            sets: std::array::from_fn(|_| Set {
                cells: Cells::new(),
                ended: AtomicUsize::new(0),
            }),
            owners: Mutex::new([NOBODY; SETS]),
        }));
        (Slots::new(readers.clone()), readers)
    }
}

/// How many sets of cells a platform has: as loom has threads, and one for a thread with more sections than fit into one.
const SETS: usize = 5;
/// No thread has the set.
const NOBODY: usize = 0;
/// A thread had it and left sections in it.
const ABANDONED: usize = usize::MAX;

/// The threads of a model, as readers on one platform.
#[derive(Clone)]
pub struct LoomReaders(Arc<Sets>);

struct Sets {
    sets: [Set; SETS],
    /// The number of the thread that has the set. Not a lock of loom: what orders two owners of one set is `ended`.
    owners: Mutex<[usize; SETS]>,
}

struct Set {
    cells: Cells,
    /// How many owners have gone.
    ended: AtomicUsize,
}

impl LoomReaders {
    /// The calling thread's set that `fits`, or a new one.
    fn find(&self, fits: impl Fn(&Cells) -> bool) -> &Cells {
        let thread = common::thread();
        if let Some(set) = self.of(thread).find(|set| fits(&set.cells)) {
            return &set.cells;
        }
        let place = {
            let mut owners = self.0.owners.lock().expect("nothing panics under it");
            let place = owners.iter().position(|owner| *owner == NOBODY);
            let place = place.expect("a model has few threads");
            owners[place] = thread;
            place
        };
        let set = &self.0.sets[place];
        // Acquire: pairs with the Release in `end_thread`. (An exchange, since the newest value is the one that counts.)
        set.ended.fetch_add(0, Ordering::Acquire);
        &set.cells
    }

    /// The sets of a thread.
    fn of(&self, thread: usize) -> impl Iterator<Item = &Set> {
        let owners = *self.0.owners.lock().expect("nothing panics under it");
        let sets = self.0.sets.iter().zip(owners);
        sets.filter_map(move |(set, owner)| (owner == thread).then_some(set))
    }

    /// Gives the calling thread's sets back; whether all its sections have ended.
    pub fn end_thread(&self) -> bool {
        let mut all = true;
        for (place, set) in self.0.sets.iter().enumerate() {
            let owner = self.0.owners.lock().expect("nothing panics under it")[place];
            if owner != common::thread() {
                continue;
            }
            let empty = set.cells.retire();
            // Release: pairs with the Acquire in `find`.
            set.ended.fetch_add(1, Ordering::Release);
            self.0.owners.lock().expect("nothing panics under it")[place] =
                if empty { NOBODY } else { ABANDONED };
            all &= empty;
        }
        all
    }
}

// SAFETY: the promises, by their numbers. 1: `owners` names one thread for each set; the sets live as long as the platform, which outlives
// its sections; `more` looks for room. 2: every set is visited. 3: SeqCst fences.
unsafe impl Readers for LoomReaders {
    fn mine(&self) -> &Cells {
        self.find(|_| true)
    }

    fn more(&self) -> &Cells {
        self.find(Cells::has_room)
    }

    fn visit(
        &self,
        which: Which,
        visitor: &mut dyn FnMut(&Cells) -> ControlFlow<Stuck>,
    ) -> ControlFlow<Stuck> {
        match which {
            Which::All => {
                let mut sets = self.0.sets.iter();
                sets.try_for_each(|set| visitor(&set.cells))
            }
            Which::Mine => {
                let mut sets = self.of(common::thread());
                sets.try_for_each(|set| visitor(&set.cells))
            }
        }
    }

    fn light(&self) {
        // Pairs with that in `heavy`.
        fence(Ordering::SeqCst);
    }

    fn heavy(&self) {
        // Pairs with that in `light`.
        fence(Ordering::SeqCst);
    }
}
