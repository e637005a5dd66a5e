//! Who takes part.

use std::sync::Arc;

use driver_scope::Revocable;
use driver_scope_benches::batch::{Batch, Form, Tally};
use driver_scope_benches::driver::{Driven, PortTimes};
use driver_scope_benches::guarded::{Flag, Many, Object, Raw, RawTimes, MANY};
use driver_scope_benches::payload::{Payload, Stamp, VALUE};
use driver_scope_benches::platform::{On, Strategy, A, B, C};
use driver_scope_benches::rivals::{
    version, ArcSwapped, Crossbeam, Haphazard, LeftRight, ParkingLot, Sdd, Seize, StdRwLock,
};

/// What keeps the payload there during a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Nothing.
    No,
    /// A check, and then nothing.
    CheckOnly,
    /// The compiler: a scope's lifetime.
    Compiler,
    /// A section, a lock, a count.
    Yes,
}

impl Protection {
    pub fn name(self) -> &'static str {
        match self {
            Protection::No => "no",
            Protection::CheckOnly => "check only",
            Protection::Compiler => "compiler",
            Protection::Yes => "yes",
        }
    }
}

/// An object, whatever its type.
pub trait Subject: Send + Sync {
    fn batch(&self, batch: Batch) -> Tally;
    fn revoke(&self, gone: &dyn Fn() -> bool);
}

impl<O: Object> Subject for O {
    fn batch(&self, batch: Batch) -> Tally {
        self.with(batch)
    }
    fn revoke(&self, gone: &dyn Fn() -> bool) {
        Object::revoke(self, gone);
    }
}

/// One way to read.
pub struct Candidate {
    /// How the command line calls it.
    pub id: String,
    pub name: String,
    /// Empty for driver-scope and the standard library.
    pub version: &'static str,
    pub protection: Protection,
    /// How many reads there are in a call.
    pub reads: u32,
    make: Box<dyn Fn(Payload) -> Box<dyn Subject> + Send + Sync>,
}

impl Candidate {
    pub fn make(&self) -> Box<dyn Subject> {
        (self.make)(Payload::new())
    }

    /// The sum of what `calls` calls read.
    pub fn expected(&self, calls: u64) -> u64 {
        u64::from(VALUE.wrapping_mul(self.reads)).wrapping_mul(calls)
    }

    /// Sees that it reads what is there, on this thread and another, and nothing any more when it has been revoked.
    pub fn verify(&self) {
        const CALLS: u64 = 3;
        let stamp = Arc::new(Stamp::default());
        let subject = (self.make)(Payload::stamped(Arc::clone(&stamp)));
        let gone = || stamp.dropped_at().is_some();
        let all = Tally {
            sum: self.expected(CALLS),
            none: 0,
        };
        let nothing = Tally {
            sum: 0,
            none: CALLS,
        };
        let check = |expected: Tally| {
            for form in Form::ALL {
                let found = subject.batch(Batch(form, CALLS));
                assert_eq!(found, expected, "{}, {}", self.id, form.name());
            }
        };
        let on_both_threads = |expected| {
            check(expected);
            std::thread::scope(|scope| scope.spawn(|| check(expected)).join())
                .expect("the same is read on every thread");
        };
        on_both_threads(all);
        if matches!(self.protection, Protection::Yes | Protection::CheckOnly) {
            subject.revoke(&gone);
            assert!(gone(), "{}: revoked, but not dropped", self.id);
            on_both_threads(nothing);
        }
    }
}

struct List(Vec<Candidate>);

impl List {
    fn add<O: Object + 'static>(
        &mut self,
        id: impl Into<String>,
        name: impl Into<String>,
        protection: Protection,
        reads: usize,
        make: impl Fn(Payload) -> O + Send + Sync + 'static,
    ) -> &mut Candidate {
        self.0.push(Candidate {
            id: id.into(),
            name: name.into(),
            version: "",
            protection,
            reads: reads as u32,
            make: Box::new(move |payload| Box::new(make(payload))),
        });
        self.0.last_mut().expect("just pushed")
    }

    fn rival<O: Object + 'static>(
        &mut self,
        package: &'static str,
        name: &str,
        make: impl Fn(Payload) -> O + Send + Sync + 'static,
    ) -> &mut Candidate {
        let candidate = self.add(package, name, Protection::Yes, 1, make);
        candidate.version = version(package);
        candidate
    }

    fn strategy<S: Strategy>(&mut self) {
        let letter = S::LETTER;
        self.add(
            format!("revocable-{letter}"),
            format!("Revocable::try_access_with ({letter})"),
            Protection::Yes,
            1,
            |payload| Revocable::new(On::<S>::shared(), payload),
        );
        self.add(
            format!("devres-{letter}"),
            format!("Devres::try_access ({letter})"),
            Protection::Yes,
            1,
            |_| Driven::<S>::devres(),
        );
    }

    fn many<S: Strategy>(&mut self) {
        let letter = S::LETTER;
        self.add(
            format!("many-{letter}"),
            format!("{MANY} objects, one ReadSection ({letter})"),
            Protection::Yes,
            MANY,
            Many::<S, true>::new,
        );
        self.add(
            format!("each-{letter}"),
            format!("{MANY} objects, try_access_with of each ({letter})"),
            Protection::Yes,
            MANY,
            Many::<S, false>::new,
        );
    }

    fn times<const N: usize>(&mut self) {
        if N != 1 {
            self.add(
                format!("raw-{N}"),
                format!("{N} raw reads"),
                Protection::No,
                N,
                |payload| RawTimes::<N>(payload.register()),
            );
        }
        self.add(
            format!("port-{N}"),
            format!("Port entry (c) around {N}"),
            Protection::Yes,
            N,
            |_| PortTimes::<C, N>::new(),
        );
    }
}

/// All of them; first the one that the others are compared with.
pub fn all() -> Vec<Candidate> {
    let mut list = List(Vec::new());
    list.add("raw", "raw pointer", Protection::No, 1, |payload| {
        Raw(payload.register())
    });
    list.add(
        "flag",
        "flag check, then read",
        Protection::CheckOnly,
        1,
        |payload| Flag::new(payload.register()),
    );
    list.add("mmio", "Mmio", Protection::Compiler, 1, |_| {
        Driven::<C>::mmio()
    });
    list.add("bound", "Bound::access", Protection::Compiler, 1, |_| {
        Driven::<C>::bound()
    });
    list.strategy::<A>();
    list.strategy::<B>();
    list.strategy::<C>();
    list.add(
        "std-rwlock",
        "std RwLock<Option<T>>",
        Protection::Yes,
        1,
        StdRwLock::new,
    );
    list.rival(
        "parking_lot",
        "parking_lot RwLock<Option<T>>",
        ParkingLot::new,
    );
    list.rival("arc-swap", "arc-swap load", ArcSwapped::new);
    list.rival("crossbeam-epoch", "crossbeam-epoch pin", Crossbeam::new);
    list.rival("seize", "seize enter + protect", Seize::new);
    list.rival(
        "haphazard",
        "haphazard, pointer per access",
        Haphazard::<false>::new,
    );
    list.rival(
        "haphazard",
        "haphazard, pointer per thread",
        Haphazard::<true>::new,
    )
    .id = "haphazard-kept".to_owned();
    list.rival("left-right", "left-right enter", LeftRight::new);
    list.rival("sdd", "sdd Guard + load", Sdd::new);
    list.times::<0>();
    list.times::<1>();
    list.times::<4>();
    list.times::<16>();
    list.times::<64>();
    list.many::<A>();
    list.many::<B>();
    list.many::<C>();
    list.0
}
