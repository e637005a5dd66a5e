// Wrong: a table of handles is indexed for references that live for ever.
// Instead: `Output = Mmio<'drv, R, P>`: a copy of it lives as long as its scope.
// Refused: returning this value requires that `'1` must outlive `'static`
use std::ops::Index;

use driver_scope::{platform::Sim, Mmio};

struct Banks<'drv>(Vec<Mmio<'drv, [u8], Sim>>);

impl Index<usize> for Banks<'_> {
    type Output = Mmio<'static, [u8], Sim>;
    fn index(&self, bank: usize) -> &Self::Output {
        &self.0[bank]
    }
}

fn main() {}
