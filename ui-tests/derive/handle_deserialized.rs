// Wrong: driver data is made of bytes, by a macro that derives the trait for it field by field; a handle cannot be.
// Instead: what is stored is settings; handles come from `probe`.
// Refused: no function or associated item named `deserialize` found for struct `driver_scope::Irq<'drv, P>` in the current scope
use driver_scope::{platform::Sim, Irq};

trait Deserialize: Sized {
    fn deserialize(bytes: &mut &[u8]) -> Option<Self>;
}
impl Deserialize for u8 {
    fn deserialize(bytes: &mut &[u8]) -> Option<u8> {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        Some(*first)
    }
}

macro_rules! deserialize {
    (struct $name:ident<$life:lifetime> { $($field:ident: $type:ty),* $(,)? }) => {
        struct $name<$life> { $($field: $type),* }
        impl<$life> Deserialize for $name<$life> {
            fn deserialize(bytes: &mut &[u8]) -> Option<Self> {
                Some($name { $($field: <$type>::deserialize(bytes)?),* })
            }
        }
    };
}

deserialize! {
    struct Data<'drv> {
        level: u8,
        irq: Irq<'drv, Sim>,
    }
}

fn main() {}
