//! Names that are something else where `registers!` is used, and traits whose methods have the names of the crate's.
#![allow(non_camel_case_types, dead_code)]

use driver_scope::platform::Sim;
use driver_scope::{enter, Error};

use crate::common::memory_region;

/// Names that the macro could take for others.
mod hostile {
    pub mod core {}
    pub mod std {}
    pub mod driver_scope {}
    pub enum Option {}
    pub enum Result {}
    pub struct Element;
    pub struct One;
    pub struct Many;
    pub trait Item {}
    pub const MISFIT: u8 = 1;
    pub const SIZE: u8 = 1;

    const COUNT: usize = 2 + 1;
    const fn size() -> usize {
        8 * 2
    }

    ::driver_scope::registers! {
        pub Regs: { size() } {
            0x0 => rw STATUS: u32,
            0x4 => rw DATA: [u16; COUNT; stride 2],
        }
    }
}

/// Has what handles have, for everything.
mod shadows {
    pub trait Everything: Sized {
        fn read<T>(self, _: T) -> u64 {
            panic!("the trait's own")
        }
        fn write<T, U>(self, _: T, _: U) {
            panic!("the trait's own")
        }
        fn start<T>(self, _: T) {
            panic!("the trait's own")
        }
        fn offset(self) -> usize {
            1 << 40
        }
        fn at(self, _: usize) -> usize {
            1 << 40
        }
    }
    impl<T> Everything for T {}
}

#[test]
fn names_mean_what_they_mean_in_the_crate() {
    use hostile::*;
    #[allow(unused_imports)]
    use shadows::*;

    let (sim, region) = (Sim::new(), memory_region(16));
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &region, |region, scope| {
            let regs = scope.map::<Regs>(region)?;
            regs.write(STATUS, 7);
            regs.write(DATA.nth::<2>(), 9);
            assert_eq!(regs.read(STATUS), 7);
            assert_eq!(regs.read(DATA.at(2)?), 9);
            assert!(DATA.at(3).is_err());
            Ok::<(), Error>(())
        })
        .unwrap();
    });
}
